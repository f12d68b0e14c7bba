/** JSON text that keeps integers beyond 2^53, in both directions. */

type RawJson = Readonly<{ rawJSON: string }>;
/** ES2026, in Node since 22; TypeScript's library does not know it yet. */
const exactJson = JSON as unknown as {
  rawJSON(text: string): RawJson;
  stringify(value: unknown, replacer: (key: string, value: unknown) => unknown): string;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
};

/** Stringifies; a bigint becomes the number it is. */
export function toJsonText(value: unknown): string {
  return exactJson.stringify(value, (_, inner) =>
    typeof inner === "bigint" ? exactJson.rawJSON(`${inner}`) : inner,
  );
}

/** Parses; a number that a double cannot hold becomes its own text. */
export function parseExactJson(text: string): unknown {
  return exactJson.parse(text, (_, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && context.source !== undefined
      ? context.source
      : value,
  );
}
