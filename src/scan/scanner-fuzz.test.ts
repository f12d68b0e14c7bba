/** The scanner against JSON.parse, on random documents, cut anywhere, with random damage. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { scanAll } from "../../test/golden/scan-all.ts";
import { isExactNumber } from "./number-measure.ts";

const runs = 400;
const tokenPattern = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[{}[\]:,]/gs;

/** Text of JSON values with everything that JSON allows in it. */
const blanks = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const numberText = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?$/),
);
const stringText = fc.oneof(
  fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  fc.string({ unit: "binary-ascii" }).map((text) => JSON.stringify(text)),
  fc
    .array(
      fc.constantFrom("\\u0069", "\\ud83d\\ude00", "\\/", "\\\\", '\\"', "é", "😀", "\\b", "x", "2024-01-02"),
    )
    .map((parts) => `"${parts.join("")}"`),
  fc.constantFrom('"2024-02-29"', '"2024-02-29T10:00:00.5+02:00"', '"\\u0032024-02-29"', '""'),
);
const keyText = fc.oneof(
  fc.constantFrom(
    '"id"',
    '"\\u0069d"',
    '"name"',
    '"a"',
    '"b"',
    '""',
    '"é"',
    '"\\u00e9"',
    '"a\\"b"',
    '"__proto__"',
  ),
  stringText,
);
const { value: valueText } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(numberText, stringText, fc.constantFrom("true", "false", "null")),
    fc.array(tie("value"), { maxLength: 4 }).chain((items) => joined("[", items, "]")),
    tie("object"),
  ),
  object: fc.array(fc.tuple(keyText, blanks, blanks, tie("value")), { maxLength: 5 }).chain((members) =>
    joined(
      "{",
      members.map(([key, before, after, value]) => `${key}${before}:${after}${value}`),
      "}",
    ),
  ),
}));
const objectText = fc.array(fc.tuple(keyText, blanks, valueText), { maxLength: 6 }).chain((members) =>
  joined(
    "{",
    members.map(([key, blank, value]) => `${key}:${blank}${value}`),
    "}",
  ),
);

function joined(open: string, items: readonly string[], close: string): fc.Arbitrary<string> {
  return fc
    .tuple(blanks, blanks)
    .map(([before, after]) => `${open}${before}${items.join(`${after},${before}`)}${after}${close}`);
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
/** Damage: at a share of the length, so many bytes go and these come. */
const damage = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 2 }),
  fc.oneof(
    fc.stringMatching(/^[{}[\]:,"\\0-9eE.+\-tfnul \n\r\tud]{0,3}$/).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 2 }),
  ),
);

function damaged(text: string, damages: readonly (readonly [number, number, Uint8Array])[]): Buffer {
  let bytes = Buffer.from(text, "utf8");
  for (const [share, gone, come] of damages) {
    const at = Math.floor(share * bytes.length);
    bytes = Buffer.concat([bytes.subarray(0, at), come, bytes.subarray(at + gone)]);
  }
  return bytes;
}

test("a line is accepted exactly when JSON.parse takes it as an object and no stricter rule forbids it", () => {
  const lines = fc.tuple(objectText, fc.array(damage, { maxLength: 2 }));
  fc.assert(
    fc.property(lines, chunkSizes, ([text, damages], sizes) => {
      const bytes = damaged(text.replaceAll(/[\r\n]/g, " "), damages).filter((byte) => byte !== 0x0a);
      // A line before it, so that garbage is a broken line and not an answer that is no JSON Lines at all.
      const found = scanAll(Buffer.concat([Buffer.from("{}\n"), bytes, Buffer.from("\n")]), "lines", sizes);
      const records = found.records.slice(1);
      const isAccepted = records.length > 0 && records.every((record) => record.problem === "none");
      if (isBlank(bytes)) expect(records).toEqual([]);
      else expect(isAccepted, `${bytes}: ${JSON.stringify(records)}`).toBe(isRow(bytes));
      expect(found.error).toBeUndefined();
    }),
    { numRuns: runs * 5 },
  );
});

test("a document gives the records and the envelope that JSON.parse finds in it, or a failure where it fails", () => {
  const documents = fc
    .tuple(
      fc.array(fc.oneof({ weight: 9, arbitrary: objectText }, valueText), { maxLength: 5 }),
      valueText,
      blanks,
      blanks,
    )
    .chain(([items, beside, before, after]) =>
      fc.constantFrom(
        {
          selector: "data.items",
          text: `${before}{"x":${beside},"data":{"items":[${items.join(`${after},`)}],"n":1}}${after}`,
        },
        { selector: "", text: `${after}[${before}${items.join(`,${before}`)}${after}]${before}` },
        {
          selector: "[*].plants[*]",
          text: `[{"plants":[${items.join(",")}]},{"y":${beside}},{"pl\\u0061nts"${before}:[{}]}]`,
        },
        { selector: "data.items", text: `{"data":${beside}}` },
        { selector: "", text: beside },
      ),
    );
  fc.assert(
    fc.property(
      documents,
      fc.array(damage, { maxLength: 2 }),
      chunkSizes,
      ({ text, selector }, damages, sizes) => {
        const bytes = damaged(text, damages);
        const found = scanAll(bytes, selector, sizes);
        const parsed = parseStrictly(bytes);
        const hasProblem = found.records.some(({ problem }) => problem !== "none");
        if (parsed === undefined) {
          expect(found.error !== undefined || hasProblem, bytes.toString()).toBe(true);
          return;
        }
        // Where an envelope has one key twice, JSON.parse shows the last and the scanner reads both.
        fc.pre(!hasDuplicateKeys(bytes.toString("utf8").replace(/^\ufeff/, ""), 3));
        const selected = select(parsed.value, selector);
        if (selected === "other") {
          expect(found.error).toMatch(/^SOURCE_SHAPE_CHANGED/);
          return;
        }
        expect(found.error, bytes.toString()).toBeUndefined();
        expect(found.end!.isFound).toBe(selected.isFound);
        expect(found.records.length).toBe(selected.items.length);
        for (const [i, { text: record, problem }] of found.records.entries()) {
          if (problem === "none") expect(JSON.parse(record)).toEqual(selected.items[i]);
          else if (problem === "not-an-object") expect(isObject(selected.items[i])).toBe(false);
          else expect(["duplicate-key", "lone-surrogate"]).toContain(problem);
        }
        expect(found.end!.envelope).toEqual((select(parsed.exact, selector) as Selected).envelope);
      },
    ),
    { numRuns: runs * 5 },
  );
});

test("however an answer is cut, the outcome is the same", () => {
  const texts = fc.tuple(
    fc.array(objectText, { maxLength: 4 }),
    fc.constantFrom("lines", "", "a.items", "[*].p", "$", "a.$"),
  );
  fc.assert(
    fc.property(
      texts,
      fc.array(damage, { maxLength: 3 }),
      chunkSizes,
      ([items, selector], damages, sizes) => {
        const bytes = damaged(wrap(items, selector), damages);
        const options = { fields: ["id", "a.b", "id"], reserved: ["NAME"], recordBytesMax: 60, depthMax: 4 };
        const whole = scanAll(bytes, selector, Number.POSITIVE_INFINITY, options);
        expect(scanAll(bytes, selector, sizes, options)).toEqual(whole);
        expect(scanAll(bytes, selector, 1, options)).toEqual(whole);
      },
    ),
    { numRuns: runs * 3 },
  );
});

test("a row is landed as it came but for blanks between tokens, and its fields are found", () => {
  fc.assert(
    fc.property(fc.array(objectText, { minLength: 1, maxLength: 6 }), chunkSizes, (items, sizes) => {
      const found = scanAll(`[${items.join(",")}]`, "", sizes, { fields: ["id", "a.b"] });
      for (const [i, { text, problem, fields }] of found.records.entries()) {
        expect(text).toBe(blanked(items[i]!));
        expect(/[\r\n]/.test(text)).toBe(false);
        if (problem !== "none") continue;
        const row = JSON.parse(text) as { id?: unknown; a?: { b?: unknown } };
        expect(fields.map(parsedField)).toEqual([ownOf(row, "id"), ownOf(ownOf(row, "a"), "b")]);
      }
    }),
    { numRuns: runs * 2 },
  );
});

function wrap(items: readonly string[], selector: string): string {
  if (selector === "lines") return items.map((item) => item.replaceAll(/[\r\n]/g, " ")).join("\n");
  if (selector === "") return `[${items.join(",")}]`;
  if (selector === "a.items") return `{"a":{"items":[${items.join(",")}]},"next":12345678901234567890}`;
  if (selector === "[*].p") return `[{"p":[${items.join(",")}]},{"p":null},{"p":[]}]`;
  return selector === "$" ? (items[0] ?? "null") : `{"a":${items[0] ?? "null"},"z":1}`;
}

function blanked(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[\r\n]/gs, (found) => (found.startsWith('"') ? found : " "));
}

function parsedField(raw: string | undefined): unknown {
  return raw === undefined ? undefined : JSON.parse(raw);
}

function ownOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value as object, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/**
 * JSON.parse, but bytes must be UTF-8. A mark at the very beginning is let pass, as the scanner does.
 * `exact` has the numbers that do not survive a double as their text.
 */
function parseStrictly(bytes: Uint8Array): { value: unknown; exact: unknown } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const quoted = text.replaceAll(tokenPattern, (token) =>
      /^[-0-9]/.test(token) && isExactNumber(token) ? `"${token}"` : token,
    );
    return { value, exact: JSON.parse(quoted) };
  } catch {
    return undefined;
  }
}

function isRow(bytes: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!isObject(JSON.parse(text))) return false;
  } catch {
    return false;
  }
  const strings = text.match(tokenPattern)!.filter((token) => token.startsWith('"'));
  const isWellFormed = strings.every((token) => (JSON.parse(token) as string).isWellFormed());
  return isWellFormed && !hasDuplicateKeys(text, Number.POSITIVE_INFINITY);
}

/** Whether an object of valid JSON, at most so deep, has a key twice. */
function hasDuplicateKeys(text: string, depthMax: number): boolean {
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.match(tokenPattern) ?? [];
  for (const [i, token] of tokens.entries()) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (tokens[i + 1] === ":") {
      const key = JSON.parse(token) as string;
      if (open.at(-1)!.has(key) && open.length <= depthMax) return true;
      open.at(-1)!.add(key);
    }
  }
  return false;
}

type Selected = { items: unknown[]; isFound: boolean; envelope: unknown };

/** What a selector finds in parsed JSON; "other": something of another type where it leads. */
function select(value: unknown, selector: string): Selected | "other" {
  const steps =
    selector === "" ? ["*"] : selector === "data.items" ? ["data", "items", "*"] : ["*", "plants", "*"];
  const items: unknown[] = [];
  let isFound = false;
  let isOther = false;
  const walk = (at: unknown, step: number): unknown => {
    if (step < 0 || at === null || at === undefined) return at;
    const key = steps[step]!;
    if (key === "*") {
      if (!Array.isArray(at)) {
        isOther = true;
        return at;
      }
      if (step < steps.length - 1) return at.map((item) => walk(item, step + 1));
      isFound = true;
      items.push(...at);
      return [];
    }
    if (!isObject(at)) {
      isOther = true;
      return at;
    }
    const entries = Object.entries(at as object).map(([name, member]) => [
      name,
      walk(member, name === key ? step + 1 : -1),
    ]);
    // `fromEntries` defines members, so that `__proto__` is one.
    return Object.fromEntries(entries) as unknown;
  };
  const envelope = walk(value, 0);
  return isOther ? "other" : { items, isFound, envelope };
}
