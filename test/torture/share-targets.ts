/**
 * Customers' warehouses for the matrix of shares. Each is prepared once and copied for every try: a delivery of its own
 * would cost as much as what is tried.
 */
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { runSql } from "../contract/postgres-place.ts";

/** A copy for one try. */
export type Target = Readonly<{ address: string; drop: () => Promise<void> }>;

/** Warehouses of one kind. */
export type TargetKind = Readonly<{
  name: string;
  /** Address of the server that is spoken to; `undefined`: there is none. */
  server: string | undefined;
  /** Fills one by `deliver`, and gives copies of it. */
  prepare: (
    name: string,
    deliver: (address: string) => Promise<void>,
  ) => Promise<(at: string) => Promise<Target>>;
}>;

/** All kinds. `database`: one of a Postgres server that is the matrix's own. */
export const targetKindsOf = (folder: string, database: string): readonly TargetKind[] => [
  inFiles("duckdb", (name) => join(folder, `${name}.duckdb`)),
  inFiles("parquet", (name) => join(folder, `${name}.parquet`)),
  onServer(database),
];

function inFiles(scheme: string, place: (name: string) => string): TargetKind {
  return {
    name: scheme,
    server: undefined,
    prepare: async (name, deliver) => {
      await deliver(`${scheme}:${place(name)}`);
      return async (at) => {
        const path = place(at);
        await cp(place(name), path, { recursive: true });
        const drop = async () => {
          for (const ending of ["", ".wal", ".tmp"])
            await rm(`${path}${ending}`, { recursive: true, force: true });
        };
        return { address: `${scheme}:${path}`, drop };
      };
    },
  };
}

/** A database for each try: the server copies one as files. */
function onServer(database: string): TargetKind {
  const inDatabase = (name: string): string => {
    const address = new URL(database);
    address.pathname = `/${name}`;
    address.searchParams.set("schema", "customer");
    return address.href;
  };
  return {
    name: "postgres",
    server: database,
    prepare: async (name, deliver) => {
      await runSql(database, `CREATE DATABASE ${name}`);
      await deliver(inDatabase(name));
      const [version] = await runSql(database, "SHOW server_version_num");
      // Before 15 there is this way alone, and no word for it.
      const strategy = Number(version?.["server_version_num"]) >= 150_000 ? "STRATEGY file_copy" : "";
      return async (at) => {
        await runSql(database, `CREATE DATABASE ${at} TEMPLATE ${name} ${strategy}`);
        const drop = async () => void (await runSql(database, `DROP DATABASE ${at} WITH (FORCE)`));
        return { address: inDatabase(at), drop };
      };
    },
  };
}
