/** A warehouse that Google's own transfer loads (`load: "dts"`): asked as ever, and loaded by nobody here. */
import { LeatError } from "../errors/leat-error.ts";
import type { Warehouse } from "../ports/warehouse.ts";

/** The warehouse without everything that a ledger is needed for. */
export function refuseLoads(warehouse: Warehouse): Warehouse {
  const refuse = async (): Promise<never> => {
    throw new LeatError("NOT_SUPPORTED", {
      message:
        'This project is loaded by Google\'s Data Transfer Service (load: "dts"), of which leat keeps no ledger.',
      hint: "Ask the views by `leat query`, see the transfers' runs in the console, or take `load` out of the project to have leat load.",
    });
  };
  const refused: Warehouse = {
    url: warehouse.url,
    compressions: warehouse.compressions,
    ...(warehouse.naming === undefined ? {} : { naming: warehouse.naming }),
    identity: () => warehouse.identity(),
    query: (sql, options) => warehouse.query(sql, options),
    ...(warehouse.estimate === undefined ? {} : { estimate: (sql) => warehouse.estimate!(sql) }),
    ...(warehouse.readPages === undefined
      ? {}
      : { readPages: (sql, signal) => warehouse.readPages!(sql, signal) }),
    ...(warehouse.readDataset === undefined
      ? {}
      : { readDataset: (dataset) => warehouse.readDataset!(dataset) }),
    ...(warehouse.publishDataset === undefined
      ? {}
      : { publishDataset: (table, signal) => warehouse.publishDataset!(table, signal) }),
    ...(warehouse.usage === undefined ? {} : { usage: () => warehouse.usage!() }),
    ...(warehouse.readQuotas === undefined
      ? {}
      : { readQuotas: (sinceMs, signal) => warehouse.readQuotas!(sinceMs, signal) }),
    close: () => warehouse.close(),
    readLedger: refuse,
    readLedgerHeads: refuse,
    load: refuse,
    prepare: refuse,
    checksums: refuse,
    currentDisagreements: refuse,
    forget: refuse,
  };
  return refused;
}
