/** Holds a DuckDB file, as another program would, until it is told to end or loses its parent. Arguments: the file. */
import { DuckDBInstance } from "@duckdb/node-api";

const instance = await DuckDBInstance.create(process.argv[2]);
process.send?.("held");
process.once("message", () => {
  instance.closeSync();
  process.exit(0);
});
process.once("disconnect", () => process.exit(0));
