/** The state that a log's head hands on. */
import type { Head } from "../landing/log.ts";
import { readFileEntry } from "../landing/part-reader.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { decodeState, freshState, type RunState } from "./run-state.ts";

/** Reads the state after a manifest, from the manifest itself or the landed file that it names. */
export async function readState(store: ObjectStore, head: Head | undefined): Promise<RunState> {
  if (head === undefined) return freshState();
  const { inline, file } = head.manifest.state;
  if (inline !== undefined)
    return decodeState(Buffer.from(inline, "base64"), `manifest ${head.manifest.seq}`);
  if (file === undefined) return freshState();
  return decodeState(await readFileEntry(store, file), file.key);
}
