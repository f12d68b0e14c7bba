/**
 * Classes of states stay apart for every kind of colour vision, and legible on every surface: Machado, Oliveira and
 * Fernandes (2009) at full severity, CIEDE2000 differences, and contrast as WCAG 2 counts it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrast, difference, parseColour, seenBy, visions } from "../format/colour-difference.ts";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");

function tokensOf(theme: string): ReadonlyMap<string, string> {
  const block = new RegExp(`\\[data-theme="${theme}"\\]\\s*\\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return new Map(
    [...block.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name!, value!]),
  );
}

const classes = ["neutral", "running", "succeeded", "attention", "failed"];

/** Below this, people cannot tell two of them apart at a glance. */
const differenceMin = 13;

/** Contrast of text, WCAG 2 AA. */
const contrastMin = 4.5;

describe.each(["light", "dark"])("%s", (theme) => {
  const tokens = tokensOf(theme);
  const colour = (name: string) => parseColour(tokens.get(name) ?? "");

  test.each(visions)("classes of states are told apart with %s vision", (vision) => {
    const close = classes.flatMap((one, at) =>
      classes.slice(at + 1).flatMap((other) => {
        const apart = difference(seenBy(vision, colour(one)), seenBy(vision, colour(other)));
        return apart < differenceMin ? [`${one} and ${other}: ${apart.toFixed(1)}`] : [];
      }),
    );
    expect(close).toEqual([]);
  });

  test("text is legible on every surface it stands on", () => {
    const inks = [...classes, "text", "muted", "accent"];
    const faint = inks.flatMap((ink) =>
      ["bg", "panel", "sunk", "selected"].flatMap((surface) => {
        const ratio = contrast(colour(ink), colour(surface));
        return ratio < contrastMin ? [`${ink} on ${surface}: ${ratio.toFixed(2)}`] : [];
      }),
    );
    expect(faint).toEqual([]);
    expect(contrast(colour("on-accent"), colour("accent"))).toBeGreaterThanOrEqual(contrastMin);
    expect(contrast(colour("panel"), colour("failed"))).toBeGreaterThanOrEqual(contrastMin);
  });

  test("edges of controls are seen", () => {
    for (const surface of ["bg", "panel"]) {
      expect(contrast(colour("control"), colour(surface))).toBeGreaterThanOrEqual(3);
    }
  });
});

test("the measure knows the pairs of the standard's own table, and colours that fail people", () => {
  // Sharma, Wu and Dalal (2005), pairs 1 and 25.
  expect(difference({ l: 50, a: 2.6772, b: -79.7751 }, { l: 50, a: 0, b: -82.7485 })).toBeCloseTo(2.0425, 4);
  expect(
    difference({ l: 60.2574, a: -34.0099, b: 36.2677 }, { l: 60.4626, a: -34.1751, b: 39.4387 }),
  ).toBeCloseTo(1.2644, 4);
  const amber = seenBy("deuteranopic", parseColour("#b45309"));
  const red = seenBy("deuteranopic", parseColour("#dc2626"));
  expect(difference(amber, red)).toBeLessThan(differenceMin);
  expect(contrast(parseColour("#000000"), parseColour("#ffffff"))).toBeCloseTo(21, 5);
});
