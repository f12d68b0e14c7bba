/** A warehouse's address: what the client connects to, what may be told of it, and which schema is leat's. */
import { LeatError } from "../../errors/leat-error.ts";
import { nameBytesMax } from "./relation-names.ts";

/**
 * Schema of leat's tables and landing tables, unless the address names another. The ledger of flows has `leat`: short
 * names of streams must not meet its tables where both are in one database.
 */
export const schemaUsual = "leat_warehouse";

/** A checked address. */
export type PostgresAddress = Readonly<{
  /** For the client, with its password. */
  connectionString: string;
  /** For people: no user, no password, no parameters. */
  url: string;
  schema: string;
  /** What views' schemas begin with: nothing in the usual schema, else the schema's own name. */
  viewPrefix: string;
}>;

const example =
  "Write it as postgres://user:password@host/database, special characters of the password as %XX.";

/**
 * Reads `postgres://user:password@host:port/database?schema=shop`; all other parameters are the client's own.
 *
 * @throws LeatError `CONFIG_INVALID`; no part of an address that cannot be read is told, since it may hold a password.
 */
export function parsePostgresAddress(text: string): PostgresAddress {
  const isScheme = /^postgres(ql)?:\/\//i.test(text);
  if (!isScheme || !URL.canParse(text) || new URL(text).hostname === "")
    throw new LeatError("CONFIG_INVALID", {
      message: "The address of the Postgres warehouse cannot be read.",
      hint: example,
    });
  const address = new URL(text);
  if (address.pathname.length <= 1)
    throw new LeatError("CONFIG_INVALID", {
      message: `The address of the Postgres warehouse at ${address.host} names no database.`,
      hint: example,
    });
  const schema = address.searchParams.get("schema") ?? schemaUsual;
  address.searchParams.delete("schema");
  if (!/^[a-z_][a-z0-9_]*$/.test(schema) || schema.startsWith("pg_") || schema.length > schemaBytesMax)
    throw new LeatError("CONFIG_INVALID", {
      message: `The schema "${schema}" of the Postgres warehouse at ${address.host} is no name that leat takes.`,
      hint: `Use small letters, digits and _, at most ${schemaBytesMax}, not beginning with a digit or pg_.`,
    });
  return {
    connectionString: address.href,
    url: `postgres://${address.host}${address.pathname}`,
    schema,
    viewPrefix: schema === schemaUsual ? "" : `${schema}_`,
  };
}

/** Leaves room for the source's name behind it. */
export const schemaBytesMax: number = nameBytesMax - 32;
