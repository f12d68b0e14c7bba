/** Faults of a source's declaration: all of them, each with its path, in one error. */
import { z } from "zod";
import { type Fault, printPath, refuseFaults } from "../../errors/faults.ts";
import { nearestName } from "../../errors/nearest-name.ts";

/** Where in a declaration: `["streams", "orders", "cursor"]`. */
export type FaultPath = readonly PropertyKey[];

/** Collects faults, so that a person mends a declaration once and not line by line. */
export class Faults {
  readonly list: Fault[] = [];

  add(path: FaultPath, problem: string): void {
    this.list.push({ path: printPath(path), problem });
  }

  /**
   * Throws what was collected.
   *
   * @param what - the declaration, as the first line names it: `The source "metrc"`.
   * @throws LeatError `CONFIG_INVALID` with every fault in the message and in `details.faults`.
   */
  throwIfAny(what: string): void {
    refuseFaults(this.list, what);
  }
}

/**
 * Checks an object member by member, so that a fault in one does not hide those of its neighbours.
 *
 * @param shape - schema of each known member; others are faults, with the nearest known name.
 * @returns the members that are right; a wrong one is left out.
 */
export function checkMembers<Shape extends Readonly<Record<string, z.ZodType>>>(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  shape: Shape,
): { [Key in keyof Shape]?: z.output<Shape[Key]> } {
  const checked: { [Key in keyof Shape]?: z.output<Shape[Key]> } = {};
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    faults.add(path, `is ${describeKind(input)}; write an object`);
    return checked;
  }
  const members = input as Readonly<Record<string, unknown>>; // Its members are unknown until checked below.
  for (const key of Object.keys(members)) {
    if (!Object.hasOwn(shape, key)) faults.add([...path, key], unknownKey(key, Object.keys(shape)));
  }
  for (const key of Object.keys(shape) as (keyof Shape & string)[]) {
    const result = shape[key]!.safeParse(members[key]);
    if (result.success) checked[key] = result.data as z.output<Shape[typeof key]>;
    else for (const issue of result.error.issues) faults.add([...path, key, ...issue.path], issue.message);
  }
  return checked;
}

/** An object schema whose unknown keys are faults with the nearest known name. */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: (issue) => explain(issue, Object.keys(shape)) });
}

function explain(issue: z.core.$ZodRawIssue, known: readonly string[]): string | undefined {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(key, known)).join("; ");
  }
  if (issue.code === "invalid_type") return `is ${describeKind(issue.input)}; write an object`;
  return undefined;
}

/** One of a few words, with a message that lists them. */
export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
): z.ZodType<Values[number]> {
  return z.enum(values, {
    error: (issue) => `${JSON.stringify(issue.input)} is not known; use ${listWords(values)}`,
  }) as unknown as z.ZodType<Values[number]>; // zod's enum type maps names to values; here both are the same.
}

/** `unknown; did you mean "cursor"?` or the list of known names. */
export function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return near === undefined
    ? `"${key}" is not known; known are ${listWords(known)}`
    : `"${key}" is not known; did you mean "${near}"?`;
}

/** `a, b or c`. */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function describeKind(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
