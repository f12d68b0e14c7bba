/** What goes for every page that a scenario ends on. */
import { expect } from "vitest";
import type { Visit } from "./open-console.ts";

/** Expects no finding of axe, nothing said on the browser's console but `expected`, and no request to elsewhere. */
export async function expectClean({ said, foreign, violations }: Visit, expected?: RegExp): Promise<void> {
  expect(await violations()).toEqual([]);
  expect(said.filter((line) => expected === undefined || !expected.test(line))).toEqual([]);
  expect(foreign).toEqual([]);
}
