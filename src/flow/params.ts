/** Parameters of flows: checked at once, from JSON or from `name=value` texts. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { LeatError } from "../errors/leat-error.ts";
import { nearestName } from "../errors/nearest-name.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json-value.ts";
import { encodeValue } from "./encode-value.ts";
import type { FlowSpec } from "./flow-context.ts";

/** Characters of a run's parameters as JSON. */
const paramsLengthMax = 256 * 1024;

/**
 * Checks parameters.
 *
 * @param input - an object; `undefined` counts as an empty one.
 * @returns `json` as it is kept and parsed again by each attempt, `params` as the flow's function gets them.
 * @throws LeatError `PARAMS_INVALID` with all faults; `VALUE_TOO_LARGE`.
 */
export function parseParams(flow: FlowSpec, input: unknown): Readonly<{ json: JsonValue; params: unknown }> {
  const title = titleOf(flow);
  const given = input ?? {};
  const text = encodeValue(given, title);
  if (text !== null && text.length > paramsLengthMax) {
    throw new LeatError("VALUE_TOO_LARGE", {
      message: `${title} are ${text.length} characters of JSON; ${paramsLengthMax} are allowed.`,
      hint: "Write them to a file or an object, and give where it is.",
    });
  }
  const { faults, params } = checkParams(flow, given);
  refuseFaults(faults, title, "PARAMS_INVALID");
  return { json: JSON.parse(text ?? "{}") as JsonValue, params }; // What was encoded is JSON.
}

const titleOf = (flow: FlowSpec): string => `The parameters of flow "${flow.name}"`;

function checkParams(
  flow: FlowSpec,
  given: unknown,
): Readonly<{ faults: readonly Fault[]; params: unknown }> {
  const faults = [...unknownFaults(flow, given)];
  const parsed = (flow.params ?? z.object({})).safeParse(given);
  if (!parsed.success) {
    const told = new Set(faults.map((fault) => fault.path));
    faults.push(...faultsOf(parsed.error).filter((fault) => !told.has(fault.path)));
  }
  return { faults, params: parsed.data };
}

/** zod leaves out what it does not know; a mistyped name would then silently get its default. */
function unknownFaults(flow: FlowSpec, given: unknown): readonly Fault[] {
  const known = namesOf(flow);
  if (known === undefined || !isJsonObject(given)) return [];
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearestName(name, known);
      const list = known.length === 0 ? "the flow takes none" : `known: ${known.join(", ")}`;
      const hint = near === undefined ? list : `did you mean "${near}"? ${list}`;
      return { path: name, problem: `unknown parameter; ${hint}` };
    });
}

/** Names that a flow's schema lists; `undefined`: it takes any. */
function namesOf(flow: FlowSpec): readonly string[] | undefined {
  if (flow.params === undefined) return [];
  const { properties, additionalProperties } = paramsSchemaOf(flow);
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  return isJsonObject(properties) && !isOpen ? Object.keys(properties) : undefined;
}

/** JSON Schema of what a flow takes, for forms and documentation; an empty object where it takes nothing. */
export function paramsSchemaOf(flow: FlowSpec): JsonObject {
  const schema = z.toJSONSchema(flow.params ?? z.object({}), { io: "input", unrepresentable: "any" });
  return JSON.parse(JSON.stringify(schema)) as JsonObject; // Without what is not JSON in it.
}

/**
 * Reads `name=value` texts, as a command line has them, by the flow's schema: numbers, booleans, and JSON for anything
 * that is neither these nor text. A name that comes twice is a list.
 *
 * @param below - parameters that these win over.
 * @throws LeatError `PARAMS_INVALID` when a text has no `=`; with all faults, those of the other texts too.
 */
export function readParamTexts(
  flow: FlowSpec,
  texts: readonly string[],
  below: Readonly<Record<string, unknown>> = {},
): JsonObject {
  const { properties } = paramsSchemaOf(flow);
  const read: Record<string, JsonValue> = {};
  const faults: Fault[] = [];
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) {
      faults.push({ path: text, problem: "is no parameter; write it as name=value" });
      continue;
    }
    const name = text.slice(0, at);
    const schema = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const isList = isJsonObject(schema) && schema["type"] === "array";
    const itemSchema = isList && isJsonObject(schema) ? schema["items"] : schema;
    const value = readText(text.slice(at + 1), itemSchema);
    const before = Object.hasOwn(read, name) ? read[name] : undefined;
    if (isList && !Array.isArray(value)) read[name] = [...(Array.isArray(before) ? before : []), value];
    else read[name] = value;
  }
  // Otherwise what the schema has to say is told when the run is made.
  if (faults.length > 0) faults.push(...checkParams(flow, { ...below, ...read }).faults);
  refuseFaults(faults, titleOf(flow), "PARAMS_INVALID");
  return read;
}

function readText(text: string, schema: JsonValue | undefined): JsonValue {
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  if (type === "string") return text;
  if (type === "number" || type === "integer") {
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text; // The schema says what is wrong.
  }
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  try {
    const parsed = JSON.parse(text) as JsonValue; // What JSON.parse gives is JSON.
    // Of several types, or of none that is named: only what is plainly JSON is taken for it.
    return type === undefined && !/^[[{]|^(true|false|null)$|^-?\d/.test(text) ? text : parsed;
  } catch {
    return text;
  }
}
