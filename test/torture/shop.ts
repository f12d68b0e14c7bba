/**
 * A partner for the kill matrix: five streams that together use every way in which leat reads and commits. Runs in
 * the driver's process, so that its requests are counted over the deaths of those who ask.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

type Row = Readonly<Record<string, string | number | null>>;

/** What the shop's streams show; `change()` makes the second state of it. */
export type Shop = {
  readonly url: string;
  requests: number;
  /** Updates some orders and items, adds events and codes; what is new carries the time of now, or the one given. */
  change(changedAt?: Date): void;
  /** Every version that each stream has shown so far, as JSON text; a version may be listed more than once (twins). */
  shown(): ReadonlyMap<string, readonly string[]>;
  /** What each stream shows now. */
  current(): ReadonlyMap<string, readonly string[]>;
  close(): Promise<void>;
};

const day = 24 * 3600 * 1000;
const pageSize = 3;

/** Starts it on a free port of this machine. */
export async function openShop(): Promise<Shop> {
  const start = Date.UTC(2026, 0, 1);
  const at = (days: number, seconds = 0) =>
    new Date(start + days * day + seconds * 1000).toISOString().slice(0, 19).concat("Z");
  const orders: Row[] = Array.from({ length: 12 }, (_, i) => ({
    id: i,
    state: "new",
    updated_at: at((i % 4) * 25, i),
  }));
  // Two by two alike: genuine twins of a stream without a key.
  const events: Row[] = Array.from({ length: 10 }, (_, i) => ({ kind: `k${i >> 1}`, at: at(0, i >> 1) }));
  const codes: Row[] = Array.from({ length: 7 }, (_, i) => ({ code: `c${i}`, text: `text ${i}` }));
  const items: Row[] = orders.flatMap((order) =>
    [0, 1].map((n) => ({ item: `${order["id"]}-${n}`, price: `${n}.10` })),
  );
  const plants: Row[] = Array.from({ length: 11 }, (_, i) => ({
    label: `p${i}`,
    size: i,
    changed_at: at(0, i >> 1),
  }));
  const streams = new Map<string, Row[]>(Object.entries({ orders, events, codes, items, plants }));
  const past = new Map<string, string[]>(
    [...streams].map(([name, rows]) => [name, rows.map((row) => JSON.stringify(row))]),
  );

  const shop = { requests: 0 };
  const server: Server = createServer((request, response) => {
    shop.requests++;
    const url = new URL(request.url ?? "/", "http://shop");
    const answer = (body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    const [, name = "", parent = ""] = url.pathname.split("/");
    const query = url.searchParams;
    const page = (rows: readonly Row[], from: number) => rows.slice(from, from + pageSize);
    switch (name) {
      case "orders": {
        const [from, to] = [query.get("from") ?? "", query.get("to") ?? "~"];
        answer(orders.filter((row) => String(row["updated_at"]) >= from && String(row["updated_at"]) <= to));
        return;
      }
      case "events": {
        const since = query.get("since") ?? "";
        const rows = events.filter((row) => String(row["at"]) >= since);
        const from = Number(query.get("token") ?? 0);
        answer({
          items: page(rows, from),
          next: from + pageSize < rows.length ? String(from + pageSize) : null,
        });
        return;
      }
      case "codes":
        answer({ data: page(codes, Number(query.get("offset") ?? 0)) });
        return;
      case "items":
        answer(items.filter((row) => String(row["item"]).startsWith(`${parent}-`)));
        return;
      case "plants": {
        const rows = plants
          .filter((row) => String(row["changed_at"]) >= (query.get("since") ?? ""))
          .sort((a, b) => (`${a["changed_at"]}${a["label"]}` < `${b["changed_at"]}${b["label"]}` ? -1 : 1));
        answer({ plants: page(rows, Number(query.get("offset") ?? 0)) });
        return;
      }
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens on TCP.

  const put = (name: string, index: number, row: Row) => {
    const rows = streams.get(name)!;
    rows[index] = row;
    past.get(name)!.push(JSON.stringify(row));
  };
  return Object.assign(shop, {
    url: `http://127.0.0.1:${port}`,
    change(changedAt = new Date()) {
      // Older times than that of the change would be later than the declared lag allows.
      const now = changedAt.toISOString().slice(0, 19).concat("Z");
      for (const i of [1, 5, 11]) put("orders", i, { ...orders[i]!, state: "paid", updated_at: now });
      put("orders", orders.length, { id: 12, state: "new", updated_at: now });
      for (const _ of [0, 1]) put("events", events.length, { kind: "late", at: at(0, 9) });
      put("codes", 2, { ...codes[2]!, text: "another text" });
      put("items", 3, { ...items[3]!, price: "99999999999999999.25" });
      for (const n of [0, 1]) put("items", items.length, { item: `12-${n}`, price: `${n}.10` });
      put("plants", 4, { ...plants[4]!, size: 400, changed_at: at(1) });
      put("plants", 8, { ...plants[8]!, size: 800, changed_at: at(1) });
    },
    shown: () => past,
    current: () =>
      new Map([...streams].map(([name, rows]) => [name, rows.map((row) => JSON.stringify(row))] as const)),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}
