/**
 * Tables that were made for a stream's rows and that nothing points to any more: of plans that another load has made
 * void, and of loads that died before they dropped the table that their rows moved from.
 */
import type { StreamSpec } from "../../model/stream.ts";
import { ofStream } from "./catalog.ts";
import { describeTable, isTableName } from "./landing-table.ts";
import type { BatchPorts } from "./load-batch.ts";
import { isSettled } from "./stream-views.ts";

/** How much later than a table a stream's newest load must be, ms: more than two clocks of the service can differ by. */
const laterMsMin = 3_600_000;

/**
 * Drops them.
 *
 * A table's name is made of the count of commits at which it was planned, and that count only grows. So once the stream
 * was loaded after the table was made, no commit can come that would point to it, and dropping it beside running loads
 * takes nothing from them.
 *
 * @returns how many were dropped.
 */
export async function collectTables(
  ports: BatchPorts,
  specs: readonly StreamSpec[],
  signal: AbortSignal,
): Promise<number> {
  const { catalog, queries, tables } = ports;
  const all = await tables.listNamed(ports.api.address.dataset, "");
  let dropped = 0;
  for (const spec of specs) {
    signal.throwIfAborted();
    const own = all.filter(({ name }) => isTableName(spec, name));
    if (own.length < 2) continue;
    const [[newest] = []] = await queries.rows(
      `SELECT UNIX_MILLIS(MAX(loaded_at)) FROM ${catalog.path("_leat_loads")} WHERE ${ofStream(spec)}`,
      `look when ${spec.source}.${spec.name} was loaded last`,
    );
    const { mine } = await catalog.readState(spec); // Comes later: what it does not name was left behind before.
    // Views may still show the table that rows have left: of a load that has just committed, or died then.
    if (!(await isSettled(ports, spec))) continue;
    for (const { name, createdAtMs } of own) {
      if (mine === undefined || name === mine.physicalTable) continue;
      if (createdAtMs + laterMsMin > Number(newest)) continue;
      const place = catalog.place(name);
      const facts = await tables.find(place);
      if (facts?.kind !== "TABLE" || facts.description !== describeTable(spec)) continue;
      await tables.drop(place);
      dropped += 1;
    }
  }
  return dropped;
}
