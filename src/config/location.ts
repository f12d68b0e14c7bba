/** Where landing and warehouse live: a URL, so that a project moves by changing one variable. */
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LeatError } from "../errors/leat-error.ts";

/** A checked location: which engine, and the absolute path on this machine. */
export type Location = Readonly<{ engine: "file" | "duckdb"; path: string; url: string }>;

const known = { landing: "file", bucket: "file", warehouse: "duckdb" } as const;
const examples = {
  landing: "file:.leat/landing",
  bucket: "file:incoming",
  warehouse: "duckdb:.leat/warehouse.duckdb",
} as const;

/**
 * Reads the URL of the warehouse, or of a landing or bucket that is a folder; `store-location.ts` knows real buckets.
 *
 * @param url - `file:.leat/landing`, `duckdb:/srv/shop.duckdb`; a relative path begins at `folder`.
 * @param from - who said so, for the message: `LEAT_LANDING` or `landing` of the configuration.
 * @throws LeatError `CONFIG_INVALID`; the address is not repeated unless it is a place on the disk, since it may hold a
 *   password.
 */
export function parseLocation(
  url: string,
  what: "landing" | "bucket" | "warehouse",
  from: string,
  folder: string,
): Location {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase();
  if (scheme !== known[what]) {
    const said = scheme === undefined ? "has no scheme" : `has the unknown scheme "${scheme}:"`;
    throw new LeatError("CONFIG_INVALID", {
      message: `${from}: the ${what}'s address ${said}.`,
      hint: `Write it as a URL such as ${examples[what]}.`,
    });
  }
  const path = readPath(url, scheme.length + 1, folder);
  if (path === undefined || url.includes(":memory:")) {
    throw new LeatError("CONFIG_INVALID", {
      message: `${from}: "${url}" names no place on this machine's disk.`,
      hint: `Write it as ${examples[what]}; leat never keeps the file open, so memory would forget.`,
    });
  }
  return { engine: known[what], path, url: `${scheme}:${path}` };
}

function readPath(url: string, start: number, folder: string): string | undefined {
  const rest = url.slice(start);
  if (rest === "" || rest.includes("\0")) return undefined;
  if (!rest.startsWith("//")) return resolve(folder, rest);
  try {
    const path = fileURLToPath(`file:${rest}`);
    return isAbsolute(path) ? path : undefined;
  } catch {
    return undefined; // `file://host/path` names another machine.
  }
}

/**
 * The path of a file that a person names: a path, or `file:` and one.
 *
 * @throws LeatError `NOT_SUPPORTED` for an object in a bucket.
 */
export function resolvePlace(folder: string, named: string): string {
  const scheme = /^(gs|s3|https?):\/\//.exec(named)?.[1];
  if (scheme !== undefined) {
    throw new LeatError("NOT_SUPPORTED", {
      message: `A file at ${scheme}:// is not in this version yet.`,
      hint: "Name a file on this machine; containers can have it mounted.",
    });
  }
  if (!named.startsWith("file:")) return resolve(folder, named);
  return readPath(named, "file:".length, folder) ?? resolve(folder, named);
}
