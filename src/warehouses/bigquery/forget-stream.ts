/** Takes a stream out of the warehouse, so that it can be loaded again from nothing (`leat rebuild source.stream`). */
import type { StreamSpec } from "../../model/stream.ts";
import { ofStream } from "./catalog.ts";
import { inTurn } from "./commit-script.ts";
import { JobFailure } from "./jobs.ts";
import type { BatchPorts } from "./load-batch.ts";
import { historyName, viewsDataset } from "./stream-views.ts";
import { dropHeads, turnTable } from "./turn-table.ts";

/** leat's tables with rows of streams. */
const catalogTables = ["_leat_streams", "_leat_columns", "_leat_loads", "_leat_rejects"] as const;

/** Removes a stream's ledger with its heads, rejects and registry in one transaction, then its tables and views. */
export async function forgetStream(ports: BatchPorts, spec: StreamSpec): Promise<void> {
  const { catalog, tables, queries, jobs } = ports;
  const id = await catalog.make();
  const what = `forget ${spec.source}.${spec.name}`;
  await catalog.makeTurns(spec, async (sql) => void (await queries.rows(sql, what)));
  const { mine, turn } = await catalog.readState(spec);
  const paths = { warehouse: catalog.path("_leat_warehouse"), turns: catalog.path(turnTable(spec)) };
  const sql = inTurn({ id, turn, paths }, [
    ...catalogTables.map((table) => `DELETE FROM ${catalog.path(table)} WHERE ${ofStream(spec)}`),
    dropHeads(paths.turns),
  ]);
  const labels = { source: spec.source, stream: spec.name };
  try {
    await jobs.run({
      kind: "commit",
      identity: sql,
      configuration: queries.configuration(sql),
      labels,
      what,
    });
  } catch (error) {
    throw error instanceof JobFailure ? error.toLeatError() : error;
  }
  const dataset = viewsDataset(ports.viewsPrefix, spec.source);
  for (const table of [spec.name, historyName(spec.name)]) await tables.drop({ dataset, table });
  await tables.drop(catalog.place(mine?.landingTable ?? spec.landingTable));
  if (mine !== undefined) await tables.drop(catalog.place(mine.physicalTable));
}
