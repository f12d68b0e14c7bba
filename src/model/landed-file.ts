/** A version of a file, as a stream of files has landed it. */
import type { TenantId } from "./ids.ts";

/** **file version** the bytes of one file as they were fetched once; a file whose bytes change has another. */
export type LandedFile = Readonly<{
  /** What names the file among the stream's files, whatever its version: address without secrets, or path. */
  id: string;
  tenant: TenantId;
  /** Its last name, for people: `2018.xls`. */
  name: string;
  /** Where the bytes came from in the end, without secrets. */
  address: string;
  /** Parsed out of the address or given by the listing, e.g. `year`. */
  fields: Readonly<Record<string, string>>;
  sha256: string;
  bytes: number;
  crc32c: string;
  /** Where the bytes are in the landing. */
  objectKey: string;
  /** Package and row that landed it: the order of landing. */
  seq: number;
  row: number;
  /** Counts the versions of this file, from 1. */
  version: number;
  /** ISO 8601, UTC. */
  fetchedAt: string;
  /** When the publisher says that it was changed; ISO 8601, UTC. `undefined`: it does not say. */
  lastModified: string | undefined;
  contentType: string | undefined;
}>;
