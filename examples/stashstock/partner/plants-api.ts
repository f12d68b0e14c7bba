/** The partner's rules for a request, apart from HTTP: who may ask, what is well asked, what the answer is. */

import { renderPlant } from "./plant.ts";
import type { Account, PlantBook, ShownPlant } from "./plant-book.ts";

/** A request as far as the rules look at it. */
export type PlantsRequest = Readonly<{
  method: string;
  path: string;
  params: URLSearchParams;
  authorization: string | undefined;
}>;

/** An answer, and whom it was for, as far as that became known. */
export type PlantsAnswer = Readonly<{
  status: number;
  body: string;
  headers?: Readonly<Record<string, string>>;
  plantCount: number;
}>;

export type Caller = Readonly<{ account: Account; endpoint: string }>;

export type PlantsRules = Readonly<{ vendorKey: string; accounts: readonly Account[]; book: PlantBook }>;

/** The longest range that may be asked for. */
export const rangeMsMax = 86_400_000;
/** The most records of a v2 page, and plants of an envelope of the main stream. */
export const pageSizeMax = 20;

const endpoints: ReadonlyMap<string, (plant: ShownPlant) => boolean> = new Map([
  ["v1/all", () => true],
  ...["v1", "v2"].flatMap((version): [string, (plant: ShownPlant) => boolean][] => [
    [`${version}/vegetative`, ({ fields }) => isActive(fields, "Vegetative")],
    [`${version}/flowering`, ({ fields }) => isActive(fields, "Flowering")],
    [`${version}/inactive`, ({ fields }) => fields["State"] !== "Tracked"],
  ]),
]);

const isActive = (fields: ShownPlant["fields"], phase: string) =>
  fields["State"] === "Tracked" && fields["GrowthPhase"] === phase;

/**
 * Finds out who is asking for what.
 *
 * @returns the caller, or the refusal: 404 no such endpoint, 405 not a GET, 401 wrong vendor or user key for this state.
 */
export function identify(rules: PlantsRules, request: PlantsRequest): Caller | PlantsAnswer {
  const match = /^\/([a-z]{2})\/plants\/(v[12]\/[a-z]+)$/.exec(request.path);
  if (match === null || !endpoints.has(match[2]!)) return refuse(404, `No resource at ${request.path}.`);
  if (request.method !== "GET") return { ...refuse(405, "Use GET."), headers: { allow: "GET" } };
  const [scheme, credentials = ""] = (request.authorization ?? "").split(" ");
  const [vendorKey, userKey] = splitOnce(Buffer.from(credentials, "base64").toString(), ":");
  const account = rules.accounts.find((known) => known.userKey === userKey && known.state === match[1]);
  if (scheme?.toLowerCase() !== "basic" || vendorKey !== rules.vendorKey || account === undefined) {
    return {
      ...refuse(401, "Invalid or no authentication provided."),
      headers: { "www-authenticate": "Basic" },
    };
  }
  return { account, endpoint: match[2]! };
}

/** Answers a known caller: 200, or 400 ill asked, 403 somebody else's licence. */
export function answerPlants(
  rules: PlantsRules,
  caller: Caller,
  params: URLSearchParams,
  nowMs: number,
): PlantsAnswer {
  const license = params.get("licenseNumber");
  if (license === null || license === "")
    return refuse(400, "The licenseNumber parameter must be specified.");
  if (!caller.account.licenses.includes(license)) {
    return refuse(403, `No access to the facility with license number ${license}.`);
  }
  const range = readRange(params, nowMs);
  if ("status" in range) return range;
  const fits = endpoints.get(caller.endpoint)!;
  const plants = rules.book
    .show(license, nowMs)
    .filter(
      (plant) => fits(plant) && plant.lastModifiedMs >= range.startMs && plant.lastModifiedMs <= range.endMs,
    );
  if (caller.endpoint === "v1/all") return asEnvelopes(plants);
  if (caller.endpoint.startsWith("v1/")) return asArray(plants);
  return asPage(plants, params);
}

/** Both ends belong to the range. Without either, everything; with one, the day after or before it. */
function readRange(
  params: URLSearchParams,
  nowMs: number,
): { startMs: number; endMs: number } | PlantsAnswer {
  const bounds: (number | undefined)[] = [];
  for (const name of ["lastModifiedStart", "lastModifiedEnd"]) {
    const text = params.get(name);
    const ms = text === null ? undefined : readInstant(text);
    if (Number.isNaN(ms)) return refuse(400, `${name} must be a timestamp such as 2018-01-17T06:30:00Z.`);
    bounds.push(ms);
  }
  const [startMs, endMs] = bounds;
  if (startMs === undefined && endMs === undefined) return { startMs: -Infinity, endMs: nowMs };
  const range = { startMs: startMs ?? endMs! - rangeMsMax, endMs: endMs ?? startMs! + rangeMsMax };
  if (range.endMs < range.startMs) return refuse(400, "lastModifiedEnd is before lastModifiedStart.");
  if (range.endMs - range.startMs > rangeMsMax) {
    return refuse(400, "The range from lastModifiedStart to lastModifiedEnd must not exceed 24 hours.");
  }
  return range;
}

const readInstant = (text: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;

/** The main stream: an array of envelopes, each with a few plants; at least one envelope. */
function asEnvelopes(plants: readonly ShownPlant[]): PlantsAnswer {
  const envelopes: string[] = [];
  for (let from = 0; from === 0 || from < plants.length; from += pageSizeMax) {
    const some = plants.slice(from, from + pageSizeMax).map(({ fields }) => renderPlant(fields, "camelCase"));
    envelopes.push(`{"plants":[${some.join(",")}]}`);
  }
  return { status: 200, body: `[${envelopes.join(",")}]`, plantCount: plants.length };
}

function asArray(plants: readonly ShownPlant[]): PlantsAnswer {
  const body = `[${plants.map(({ fields }) => renderPlant(fields, "PascalCase")).join(",")}]`;
  return { status: 200, body, plantCount: plants.length };
}

/** v2: pages count from 1, and there is only one unless a page size is given. */
function asPage(plants: readonly ShownPlant[], params: URLSearchParams): PlantsAnswer {
  const size = readWhole(params.get("pageSize"), plants.length);
  const page = readWhole(params.get("pageNumber"), 1);
  if (size === undefined || (params.has("pageSize") && (size < 1 || size > pageSizeMax))) {
    return refuse(400, `pageSize must be from 1 to ${pageSizeMax}.`);
  }
  if (page === undefined || page < 1) return refuse(400, "pageNumber must be 1 or more.");
  const some = plants.slice((page - 1) * size, page * size);
  const totalPages = size === 0 ? 1 : Math.max(1, Math.ceil(plants.length / size));
  const data = some.map(({ fields }) => renderPlant(fields, "PascalCase")).join(",");
  const total = `"Total":${plants.length},"TotalRecords":${plants.length}`;
  const place = `"Page":${page},"CurrentPage":${page},"TotalPages":${totalPages}`;
  const body = `{"Data":[${data}],${total},"PageSize":${size},"RecordsOnPage":${some.length},${place}}`;
  return { status: 200, body, plantCount: some.length };
}

function readWhole(text: string | null, otherwise: number): number | undefined {
  if (text === null) return otherwise;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + by.length)];
}

/** A refusal in the partner's words. */
export const refuse = (status: number, message: string): PlantsAnswer => ({
  status,
  body: JSON.stringify({ Message: message }),
  plantCount: 0,
});
