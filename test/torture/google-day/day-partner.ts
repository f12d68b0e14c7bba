/** A partner for a day on Google Cloud: in each hour some records of every tenant and stream change, by a seed. */
import type { Source } from "../../../src/ports/source.ts";
import { defineSource } from "../../../src/sources/generator/define-source.ts";
import { createSeededRandom } from "../../../src/testing/seeded-random.ts";

/** One version of a record. */
type Version = Readonly<{ id: number; price: string; updated_at: string; note: string }>;

/** The partner's own book: what it has shown of each stream and tenant. */
export type DayPartner = Readonly<{
  source: Source;
  /** Changes some records of every stream and tenant, at a time of the hour. */
  change: (tenants: readonly string[], atMs: number) => void;
  /** Versions shown so far, and records, of a stream and tenant. */
  count: (stream: string, tenant: string) => Readonly<{ versions: number; records: number }>;
  /** Newest version of each record, as `id price`. */
  newest: (stream: string, tenant: string) => readonly string[];
  requests: () => number;
}>;

const hourMs = 3_600_000;
/** Records of a stream and tenant, most of which stay as they are. */
const recordsMax = 40;

export function openDayPartner(streamCount: number, seed: number, nowMs: () => number): DayPartner {
  const random = createSeededRandom(seed);
  const books = new Map<string, Version[]>();
  const streams = Array.from({ length: streamCount }, (_, at) => `stream_${at}`);
  const bookOf = (stream: string, tenant: string): Version[] => {
    const key = `${stream} ${tenant}`;
    const book = books.get(key) ?? [];
    books.set(key, book);
    return book;
  };
  const newestOf = (stream: string, tenant: string): ReadonlyMap<number, Version> =>
    new Map(bookOf(stream, tenant).map((version) => [version.id, version])); // Later ones replace earlier ones.
  let requests = 0;
  const source = defineSource({
    name: "shop",
    streams: Object.fromEntries(
      streams.map((stream) => [
        stream,
        {
          primaryKey: "id",
          cursor: {
            field: "updated_at",
            initial: "2026-01-01T00:00:00Z",
            lag: "1m",
            start: { inclusive: true },
          },
          pages: async function* ({ tenant, start, sawTime }) {
            requests += 1;
            sawTime(new Date(nowMs()));
            const rows = [...newestOf(stream, tenant.id).values()];
            yield rows.filter((row) => start === undefined || row.updated_at >= start);
          },
        },
      ]),
    ),
  });
  return {
    source,
    change(tenants, atMs) {
      for (const stream of streams)
        for (const tenant of tenants) {
          const changes = 1 + Math.floor(random.fraction() * 4);
          const ids = new Set(
            Array.from({ length: changes }, () => Math.floor(random.fraction() * recordsMax)),
          );
          for (const id of ids)
            bookOf(stream, tenant).push({
              id,
              price: `${Math.floor(random.fraction() * 1_000)}.${Math.floor(random.fraction() * 90) + 10}`,
              updated_at: new Date(atMs + Math.floor((random.fraction() * hourMs) / 2)).toISOString(),
              note: `changed with the chance of ${random.fraction()}`,
            });
        }
    },
    count: (stream, tenant) => ({
      versions: bookOf(stream, tenant).length,
      records: newestOf(stream, tenant).size,
    }),
    newest: (stream, tenant) =>
      [...newestOf(stream, tenant).values()].map(({ id, price }) => `${id} ${price}`).sort(),
    requests: () => requests,
  };
}
