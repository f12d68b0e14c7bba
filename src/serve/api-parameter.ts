/** Parameters of addresses: what OpenAPI says of them, and how they are taken out of a request. */
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import { Problem, unknownName } from "./problem.ts";
import { listOf, type QueryPair } from "./query-string.ts";

/** A parameter as it is described. Lists are sent as `a,b`. */
export type ApiParameter = Readonly<{
  name: string;
  in: "query" | "path";
  description: string;
  schema: JsonObject;
  isList?: boolean;
  example?: JsonValue | undefined;
}>;

/** Takes named parameters out of a query; what is left are filters. */
export class QueryReader {
  readonly #pairs: readonly QueryPair[];
  readonly #taken = new Set<QueryPair>();

  constructor(pairs: readonly QueryPair[]) {
    this.#pairs = pairs;
  }

  /** A parameter that may be there once. */
  one(name: string): QueryPair | undefined {
    const found = this.#pairs.filter((pair) => pair.name === name);
    for (const pair of found) this.#taken.add(pair);
    if (found.length > 1)
      throw new Problem("invalid-parameter", {
        detail: `"${name}" is there ${found.length} times; give it once.`,
        parameter: name,
      });
    return found[0];
  }

  text(name: string): string | undefined {
    return this.one(name)?.value;
  }

  /** A list without repetitions. */
  list(name: string): readonly string[] | undefined {
    const pair = this.one(name);
    return pair === undefined ? undefined : [...new Set(listOf(pair))];
  }

  /** A whole number within bounds. */
  count(name: string, bounds: Readonly<{ min: number; max: number; default: number }>): number {
    const text = this.text(name);
    if (text === undefined) return bounds.default;
    const value = Number(text);
    if (/^[0-9]{1,15}$/.test(text) && value >= bounds.min && value <= bounds.max) return value;
    throw new Problem("invalid-parameter", {
      detail: `"${name}" must be a whole number from ${bounds.min} to ${bounds.max}.`,
      parameter: name,
      value: text,
    });
  }

  rest(): readonly QueryPair[] {
    return this.#pairs.filter((pair) => !this.#taken.has(pair));
  }

  /** For addresses that take no other parameters. */
  end(known: readonly string[]): void {
    const [other] = this.rest();
    if (other !== undefined)
      throw unknownName("unknown-parameter", "parameter", other.name, known, other.name);
  }
}

/** One of a few words. */
export function readChoice<Choice extends string>(
  text: string,
  choices: readonly Choice[],
  parameter: string,
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw unknownName("invalid-parameter", parameter, text, choices, parameter);
}
