/**
 * Random answers for scanners to differ on, each from one number: rows of one shape with keys left out, swapped, twice
 * and spelt otherwise, every form of value at its edges, then damage.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseRecordSelector } from "../../src/model/record-selector.ts";
import type { ScanCase } from "./compare-scanners.ts";
import { makeRandom } from "./make-random.ts";

const trapFolder = new URL("../golden/traps/", import.meta.url);
const traps = readdirSync(trapFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({
    bytes: readFileSync(new URL(`${name}/input.json`, trapFolder)),
    selector: readSelector(new URL(`${name}/expected.json`, trapFolder)),
  }));

function readSelector(file: URL): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { selector: string }).selector; // Ours.
}

class CaseMaker {
  #random: () => number;

  constructor(seed: number) {
    this.#random = makeRandom(seed);
  }

  make(): ScanCase {
    const trap = this.#chance(0.1) ? this.#pick(traps) : undefined;
    const selector =
      trap?.selector ?? this.#pick(["", "data.items", "[*].p[*]", "$", "a.$", "lines", "lines"]);
    const shape = this.#shape();
    const makeDocument = () => {
      const whole = trap?.bytes ?? Buffer.from(this.#answer(selector, shape), "utf8");
      const bytes = this.#chance(0.4) ? this.#damage(whole) : whole;
      return { bytes, sizes: this.#sizes(bytes.length) };
    };
    const keys = shape.map(([key]) => plainKey(key));
    const fields = ["id", "a.b", ...keys, `${keys[0]}.b`].filter(() => this.#chance(0.4));
    return {
      options: {
        selector: parseRecordSelector(selector),
        fields: this.#chance(0.2) ? [...fields, ...fields.slice(0, 2)] : fields,
        reserved: this.#chance(0.1) ? ["B", keys.at(-1)!] : ["_leat_row"],
        ...(this.#chance(0.1) ? { depthMax: this.#below(5) + 1 } : {}),
        ...(this.#chance(0.1) ? { recordBytesMax: this.#below(300) + 1 } : {}),
        ...(this.#chance(0.1) ? { envelopeBytesMax: this.#below(40) } : {}),
      },
      documents: this.#times(1, 4, makeDocument),
    };
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!; // Callers have at least one.
  }

  #times<Item>(least: number, most: number, make: () => Item): Item[] {
    return Array.from({ length: least + this.#below(most - least + 1) }, make);
  }

  /** Keys as they are spelt, each with the maker of its values. */
  #shape(): [string, () => string][] {
    return this.#times(1, 12, () => {
      const makers = [
        () => this.#number(),
        () => this.#string(),
        () => this.#dated(),
        () => this.#pick(["true", "false", "null"]),
        () => this.#value(3),
      ];
      const main = this.#pick(makers);
      return [this.#key(), () => (this.#chance(0.1) ? this.#pick(makers) : main)()];
    });
  }

  #key(): string {
    if (this.#chance(0.5))
      return this.#pick(['"id"', '"a"', '"b"', '"\\u0061"', '"é"', '"\\u00e9"', '""', '"a\\"b"']);
    // Around the width of a vector, where comparing takes another step.
    return `"${"key_of_a_column_that_has_a_long_name_".slice(0, 12 + this.#below(25))}${this.#below(4)}"`;
  }

  #answer(selector: string, shape: readonly [string, () => string][]): string {
    const isLines = selector === "lines";
    const blanks = this.#pick(
      isLines ? ["", "", " ", "\r"] : ["", "", "", " ", "\n", "\r\n                      \t"],
    );
    const most = this.#chance(0.02) ? 5000 : 12;
    const rows = this.#times(0, most, () => {
      if (this.#chance(0.02)) return this.#value(2);
      const members = shape
        .filter(() => this.#chance(0.93))
        .map(([key, value]) => `${key}${blanks}:${blanks}${value()}`);
      if (this.#chance(0.05)) members.reverse();
      if (this.#chance(0.05)) members.push(`${this.#key()}:${this.#value(2)}`);
      return `{${blanks}${members.join(`${blanks},${blanks}`)}${blanks}}`;
    });
    if (isLines) return rows.join(this.#pick(["\n", "\r\n", " \n\n"]));
    const list = `[${blanks}${rows.join(`${blanks},${blanks}`)}${blanks}]`;
    if (selector === "") return this.#chance(0.05) ? `\ufeff${list}` : list;
    if (selector === "data.items") return `{"n":${this.#number()},"data":{"items"${blanks}:${list}},"x":[1]}`;
    if (selector === "[*].p[*]") return `[{"p":${list}},{"q":${this.#value(1)}},{"p":[]}]`;
    return selector === "$" ? (rows[0] ?? "{}") : `{"a":${rows[0] ?? "null"},"z":${this.#string()}}`;
  }

  #value(depth: number): string {
    const blank = this.#chance(0.1) ? " " : "";
    switch (depth === 0 ? this.#below(3) : this.#below(5)) {
      case 0:
        return this.#number();
      case 1:
        return this.#chance(0.2) ? this.#dated() : this.#string();
      case 2:
        return this.#pick(["true", "false", "null"]);
      case 3:
        return `[${blank}${this.#times(0, 3, () => this.#value(depth - 1)).join(`${blank},`)}${blank}]`;
      default: {
        const members = this.#times(0, 3, () => `${this.#key()}:${blank}${this.#value(depth - 1)}`);
        return `{${blank}${members.join(`,${blank}`)}}`;
      }
    }
  }

  #number(): string {
    const digits = (most: number) => this.#times(1, most, () => String(this.#below(10))).join("");
    const sign = this.#chance(0.2) ? "-" : "";
    switch (this.#below(7)) {
      case 0:
        return `${sign}${1 + this.#below(9)}${digits(19)}`;
      case 1:
        return `${sign}${this.#below(2)}.${digits(18)}`;
      case 2:
        return `${sign}${this.#below(100)}.${digits(4)}${this.#pick(["", "0", "000"])}`;
      case 3:
        return `${sign}${this.#below(10)}${this.#pick(["e", "E", ".5e", "e+", "e-"])}${digits(3)}`;
      case 4:
        return this.#pick(["9007199254740992", "9007199254740993", "9007199254740991", "0", "-0", "0.0"]);
      case 5:
        return String(this.#random() * 10 ** this.#below(20));
      default:
        return `${sign}${this.#below(10_000)}`;
    }
  }

  #string(): string {
    const parts = this.#times(0, 4, () =>
      this.#chance(0.6)
        ? "The quick brown fox jumps over the lazy dog".slice(0, this.#below(40))
        : this.#pick([
            ...[
              "é",
              "漢字",
              "😀",
              "\u{10ffff}",
              "\u0800",
              "\\n",
              '\\"',
              "\\\\",
              "\\/",
              "\\u0041",
              "\\ud83d\\ude00",
            ],
            ...[
              "\\ud83d",
              "\\udc00",
              "\\ud83d\\ue000",
              "\\uD83Dx",
              "\\x",
              "\\u12g4",
              "\u007f",
              "[{,:}]",
              "12",
              "2024-01-01",
            ],
          ]),
    );
    return `"${parts.join("")}"`;
  }

  /** Strings that are dates, or nearly. */
  #dated(): string {
    const two = (most: number) => String(this.#below(most + 1)).padStart(2, "0");
    const year = this.#pick(["2024", "1999", "2023", "0000", "0001", "9999", "1900"]);
    const date = `${year}-${this.#pick([two(13), "02", "01", "12"])}-${this.#pick([two(32), "28", "29", "01", "31"])}`;
    const time = `${this.#pick(["T", " ", "t"])}${two(24)}:${two(60)}`;
    const second = `:${two(60)}${this.#pick(["", "", ".5", ".123456", ".1234560", ".1234567", "."])}`;
    const zone = this.#pick(["", "Z", "z", "+02:00", "-0530", "+18", "-18:01", "+1", "+24:00", "-11:60"]);
    const text = this.#pick([
      date,
      `${date}${time}`,
      `${date}${time}${second}`,
      `${date}${time}${second}${zone}`,
    ]);
    const spelt = this.#chance(0.05) ? text.replace("-", "\\u002d") : text;
    const cut = this.#chance(0.1) ? spelt.slice(0, this.#below(spelt.length)) : spelt;
    return `"${cut.endsWith("\\") ? "" : cut}${this.#chance(0.05) ? "0" : ""}"`;
  }

  #damage(whole: Uint8Array): Uint8Array {
    let bytes = Buffer.from(whole);
    for (let count = 1 + this.#below(3); count > 0; count -= 1) {
      const at = this.#below(bytes.length + 1);
      const come = this.#chance(0.3)
        ? Buffer.from([this.#below(256)])
        : Buffer.from(
            this.#pick([
              '"',
              "\\",
              "{",
              "}",
              "[",
              "]",
              ",",
              ":",
              "\n",
              "\r",
              " ",
              "0",
              "-",
              "u",
              "",
              "",
              "é",
            ]),
          );
      bytes = Buffer.concat([bytes.subarray(0, at), come, bytes.subarray(at + this.#below(3))]);
    }
    return this.#chance(0.15) ? bytes.subarray(0, this.#below(bytes.length + 1)) : bytes;
  }

  #sizes(length: number): number[] {
    if (this.#chance(0.4)) return [length + 1];
    if (length < 2000 && this.#chance(0.2)) return [1];
    return this.#times(1, 5, () => 1 + this.#below(this.#pick([3, 20, 200, 5000]) + (length >> 6)));
  }
}

/** The case of a seed: always the same. */
export function makeCase(seed: number): ScanCase {
  return new CaseMaker(seed).make();
}

/** A key as a path names it. */
function plainKey(spelt: string): string {
  return JSON.parse(spelt) as string; // One of the keys above: a JSON string.
}
