/** Reads what a request to the sync app asks for, from its query and its JSON body alike. */
import type { FastifyRequest } from "fastify";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { ModeRequest } from "../sync/choose-mode.ts";
import { readDeliveryKey } from "./sync/delivery.ts";

/** A request, read. */
export type SyncRequest = Readonly<{
  tenantId: string | undefined;
  mode: ModeRequest;
  idempotencyKey: string | undefined;
  /** After this instant nobody waits for the sync any more, ms: the next tick does its work. */
  notAfterMs: number | undefined;
}>;

const optionNames = ["tenant_id", "from", "to", "full_refresh", "confirm_shrink", "not_after"] as const;
type OptionName = (typeof optionNames)[number];

/**
 * Reads a request.
 *
 * @param nowMs - to know a delivery of a tick that has not come.
 * @throws LeatError `USAGE` naming the option.
 */
export function readSyncRequest(request: FastifyRequest, nowMs: number): SyncRequest {
  const options = new Map<OptionName, unknown>();
  for (const place of [request.query, request.body] as const) {
    for (const [name, value] of membersOf(place)) {
      if (!isOption(name)) {
        throw refuse(`There is no option "${name}".`, hintOfKnown(name, "options", optionNames));
      }
      if (options.has(name)) throw refuse(`The option "${name}" is given in the query and in the body.`);
      options.set(name, value);
    }
  }
  const text = (name: OptionName): string | undefined => readText(name, options.get(name));
  const flag = (name: OptionName): boolean => readFlag(name, options.get(name));
  return {
    tenantId: text("tenant_id"),
    mode: {
      from: text("from"),
      to: text("to"),
      isFullRefresh: flag("full_refresh"),
      confirmShrink: flag("confirm_shrink"),
    },
    idempotencyKey: readDeliveryKey(request.headers, nowMs),
    notAfterMs: readInstant("not_after", text("not_after")),
  };
}

const isOption = (name: string): name is OptionName => (optionNames as readonly string[]).includes(name);

/** What a request may look like, for whoever sent one that may not. */
export const requestHint: string = `Ask with GET or POST /<stream>?tenant_id=…; the options are ${optionNames.join(", ")}.`;

const refuse = (message: string, hint: string = requestHint): LeatError =>
  new LeatError("USAGE", { message, hint });

function membersOf(place: unknown): [string, unknown][] {
  if (place === undefined || place === null) return [];
  if (typeof place === "object" && !Array.isArray(place)) return Object.entries(place);
  throw refuse(
    "The body is not a JSON object.",
    'Send an object such as {"full_refresh": true}, or nothing.',
  );
}

function readText(name: OptionName, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "") return value;
  // Ids and integer cursors may come as JSON numbers, exact ones only.
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw refuse(`The option "${name}" ${Array.isArray(value) ? "comes twice" : "must be text"}.`);
}

function readFlag(name: OptionName, value: unknown): boolean {
  if (value === undefined || value === false || value === "false" || value === "0") return false;
  if (value === true || value === "true" || value === "1" || value === "") return true;
  throw refuse(`The option "${name}" must be true or false.`);
}

function readInstant(name: OptionName, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw refuse(`The option "${name}" must be an instant such as 2026-01-31T09:30:00Z.`);
  return ms;
}
