/** A partner with an account and a key for each tenant, who can be made to answer anything at all. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { answerJson, type SeenRequest, startPartner } from "../sources/partner-server.ts";

export const tenants = ["414", "41"] as const;
export const streams = ["orders", "items"] as const;
export type StreamName = (typeof streams)[number];

/** A version of a record, as it is compared. */
export type Version = Readonly<{ tenant: string; id: number; rev: number; note: string }>;

/** What is asked for, once the partner knows who asks. */
export type Asked = Readonly<{
  tenant: string;
  stream: string;
  request: SeenRequest;
  /** The answer that would be right. */
  page: Readonly<{ ok: true; data: readonly unknown[]; next: string | null }>;
}>;

/** Answers in its own way and says true, or leaves it to the partner. */
export type Misbehaviour = (asked: Asked, response: ServerResponse) => boolean;

export interface Depot extends AsyncDisposable {
  readonly url: string;
  /** Requests that came, by tenant and stream. */
  requests(): readonly SeenRequest[];
  /** The tenant's key now; no two are alike, and all hold what needs escaping somewhere. */
  keyOf(tenant: string): string;
  /** Every key that was ever valid or sent. */
  keys(): readonly string[];
  renewKey(tenant: string): string;
  /** Adds a version of a record, newer than all others; `more` are further members, as JSON text. */
  put(tenant: string, stream: StreamName, id: number, more?: string): void;
  /** Adds a record that is only text, shown in its order. */
  putText(tenant: string, stream: StreamName, text: string): void;
  /** Takes back the last record of a tenant, however it came. */
  takeBack(tenant: string, stream: StreamName): void;
  versions(stream: StreamName): readonly Version[];
  misbehave: Misbehaviour | undefined;
  /** How long an answer takes, ms, at most; each takes another time. */
  delayMs: number;
  /** How far the partner's clock is before ours, ms. */
  aheadMs: number;
}

type Row = Readonly<{ at: string; text: string; version: Version | undefined }>;

/** Records a page. */
const pageSize = 4;
/** When the first record was changed: so long ago that no lag and no clock reaches it. */
const beginMs = Date.UTC(2026, 2, 1);

export async function openDepot(): Promise<Depot> {
  const rows = new Map<string, Row[]>();
  const rowsOf = (tenant: string, stream: string): Row[] => {
    const name = `${tenant}/${stream}`;
    const found = rows.get(name) ?? [];
    rows.set(name, found);
    return found;
  };
  let ticks = 0;
  const drawKey = (tenant: string): string => `k"${tenant}\\+/=&${randomBytes(6).toString("hex")}`;
  const keys = new Map<string, string>(tenants.map((tenant) => [tenant, drawKey(tenant)]));
  const allKeys = [...keys.values()];
  const server = await startPartner(async (request, response) => {
    if (depot.delayMs > 0) await wait(Math.random() * depot.delayMs);
    response.setHeader("date", new Date(Date.now() + depot.aheadMs).toUTCString());
    const [, tenant = "", stream = ""] = request.path.split("/");
    if (request.headers.authorization !== `Bearer ${keys.get(tenant)}`) {
      // As some do: what was sent is repeated, here within JSON and in a header.
      const said = `${request.headers.authorization} is not known`;
      return answerJson(response, { error: said }, { status: 401, headers: { "x-said": said } });
    }
    const since = request.query.get("since") ?? "";
    const shown = rowsOf(tenant, stream).filter((row) => row.at >= since);
    const from = Number(request.query.get("token") ?? 0);
    const until = from + pageSize;
    const next = until < shown.length ? String(until) : null;
    const texts = shown.slice(from, until).map((row) => row.text);
    const data: unknown[] = JSON.parse(`[${texts.filter((text) => !/^[^{]/.test(text)).join(",")}]`);
    const asked: Asked = { tenant, stream, request, page: { ok: true, data, next } };
    if (depot.misbehave?.(asked, response) === true) return;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`{"ok":true,"data":[${texts.join(",")}],"next":${JSON.stringify(next)}}`);
  });
  const depot: Depot = {
    url: server.origin,
    requests: () => server.requests,
    keyOf: (tenant) => keys.get(tenant) ?? "",
    keys: () => allKeys,
    renewKey(tenant) {
      const key = drawKey(tenant);
      keys.set(tenant, key);
      allKeys.push(key);
      return key;
    },
    put(tenant, stream, id, more) {
      const at = new Date(beginMs + ++ticks * 60_000).toISOString();
      const known = rowsOf(tenant, stream);
      const rev = known.filter((row) => row.version?.id === id).length + 1;
      const note = `${tenant} ${stream} ${id}.${rev} ${randomBytes(4).toString("hex")}`;
      const extra = more === undefined ? "" : `,${more}`;
      const text = `{"id":${id},"rev":${rev},"note":"${note}","updated_at":"${at}"${extra}}`;
      known.push({ at, text, version: { tenant, id, rev, note } });
    },
    putText(tenant, stream, text) {
      const at = new Date(beginMs + ++ticks * 60_000).toISOString();
      rowsOf(tenant, stream).push({ at, text: text.replace("NOW", at), version: undefined });
    },
    takeBack: (tenant, stream) => void rowsOf(tenant, stream).pop(),
    versions: (stream) =>
      tenants.flatMap((tenant) =>
        rowsOf(tenant, stream).flatMap((row) => (row.version === undefined ? [] : [row.version])),
      ),
    misbehave: undefined,
    delayMs: 0,
    aheadMs: 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  for (const tenant of tenants) {
    for (const stream of streams) for (let id = 1; id <= 6; id++) depot.put(tenant, stream, id);
  }
  return depot;
}
