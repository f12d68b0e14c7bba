/**
 * Values that survive being written down (F7): plain JSON, or an error that says where it is not. `JSON.stringify` alone
 * would turn a Date into text, a Map into `{}` and NaN into null, and a run that is resumed would go on with those.
 */
import { LeatError } from "../errors/leat-error.ts";

/** Levels of nesting; deeper ones are cycles, or would break the reader's stack. */
const depthMax = 100;

/**
 * Writes a value as JSON.
 *
 * Members that are `undefined` count as absent, as JSON has it, and -0 comes back as 0.
 *
 * @param what - the subject of the message: `The result of task "fetch"`.
 * @returns its JSON, or `null` for `undefined`.
 * @throws LeatError `VALUE_NOT_SERIALISABLE` naming the place within the value.
 */
export function encodeValue(value: unknown, what: string): string | null {
  if (value === undefined) return null;
  refuse(findFault(value, 0), what);
  return JSON.stringify(value);
}

/** Reads back what {@link encodeValue} wrote. */
export const decodeValue = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json));

/**
 * Writes a value so that equal values give equal text, whatever the order of their members.
 *
 * @throws LeatError `VALUE_NOT_SERIALISABLE`.
 */
export function canonicalJson(value: unknown, what: string): string {
  refuse(findFault(value, 0), what);
  return printCanonical(value);
}

function printCanonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printCanonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${printCanonical(member)}`);
  return `{${members.join(",")}}`;
}

/** What is wrong, and where: steps from the inside out. */
type ValueFault = { steps: (string | number)[]; problem: string };

function refuse(fault: ValueFault | undefined, what: string): void {
  if (fault === undefined) return;
  const path = fault.steps
    .reverse()
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("");
  const place = path === "" ? what : `${what}, at ${path.replace(/^\./, "")},`;
  throw new LeatError("VALUE_NOT_SERIALISABLE", {
    message: `${place} is ${fault.problem}.`,
    details: { path },
  });
}

function findFault(value: unknown, depth: number): ValueFault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value)
        ? undefined
        : { steps: [], problem: `${value}, which JSON does not have` };
    case "object":
      return value === null ? undefined : findFaultInside(value, depth);
    default:
      return { steps: [], problem: describe[typeof value] ?? "no value" };
  }
}

const describe: Readonly<Record<string, string>> = {
  undefined: "undefined",
  function: "a function",
  symbol: "a symbol",
  bigint: "a bigint: return it as text",
};

function findFaultInside(value: object, depth: number): ValueFault | undefined {
  if (depth >= depthMax) {
    return { steps: [], problem: `nested deeper than ${depthMax} levels, or contains itself` };
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const fault = findFault(value[index], depth + 1);
      if (fault !== undefined) return within(fault, index);
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // By the prototype's own prototype, not by identity: an object of another realm is plain too.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) return { steps: [], problem: describeObject(value) };
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const fault = findFault(member, depth + 1);
    if (fault !== undefined) return within(fault, name);
  }
  return undefined;
}

function within(fault: ValueFault, step: string | number): ValueFault {
  fault.steps.push(step);
  return fault;
}

function describeObject(value: object): string {
  const { name } = value.constructor ?? {};
  if (value instanceof Date) return "a Date: return it as text or milliseconds";
  if (ArrayBuffer.isView(value)) return `a ${name}: write bytes to a file, and return where`;
  if (value instanceof Promise) return "a Promise: await it";
  return `an object of class ${name === undefined || name === "" ? "(unnamed)" : name}`;
}
