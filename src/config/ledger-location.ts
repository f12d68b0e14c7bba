/** Where runs of flows are kept: a URL, as of landing and warehouse. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LeatError } from "../errors/leat-error.ts";

/** A checked location of the ledger. `url` is what may be told: without a password. */
export type LedgerLocation = Readonly<
  | { engine: "sqlite"; path: string; url: string }
  | { engine: "postgres"; connectionString: string; url: string }
>;

const example = "Write it as sqlite:.leat/ledger.db, or postgres://user:password@host/database.";

/**
 * Reads the URL of the ledger.
 *
 * @param from - who said so, for the message: `LEAT_LEDGER` or `ledger` of the configuration.
 * @throws LeatError `CONFIG_INVALID`; no part of an address is told, since it may hold a password.
 */
export function parseLedgerLocation(url: string, from: string, folder: string): LedgerLocation {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase();
  if (scheme === "sqlite") {
    const rest = url.slice("sqlite:".length);
    if (rest === "" || rest.includes("\0") || rest.includes(":memory:")) {
      throw new LeatError("CONFIG_INVALID", {
        message: `${from}: the ledger's address names no file on this machine's disk.`,
        hint: example,
      });
    }
    const path = rest.startsWith("//") ? toPath(rest, from) : resolve(folder, rest);
    return { engine: "sqlite", path, url: `sqlite:${path}` };
  }
  if (scheme === "postgres" || scheme === "postgresql") {
    if (!URL.canParse(url) || new URL(url).hostname === "") {
      throw new LeatError("CONFIG_INVALID", {
        message: `${from}: the ledger's address at ${scheme}:// cannot be read.`,
        hint: `${example} Write special characters of the password as %XX.`,
      });
    }
    const { host, pathname } = new URL(url);
    return { engine: "postgres", connectionString: url, url: `${scheme}://${host}${pathname}` };
  }
  const said = scheme === undefined ? "has no scheme" : `has the unknown scheme "${scheme}:"`;
  throw new LeatError("CONFIG_INVALID", { message: `${from}: the ledger's address ${said}.`, hint: example });
}

function toPath(rest: string, from: string): string {
  try {
    return fileURLToPath(`file:${rest}`);
  } catch (cause) {
    throw new LeatError("CONFIG_INVALID", {
      message: `${from}: the ledger's address names another machine.`,
      hint: example,
      cause,
    });
  }
}
