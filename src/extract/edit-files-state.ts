/** I19 for streams of files: what a person's edit leaves of the state. */
import { LeatError } from "../errors/leat-error.ts";
import type { CursorValue } from "../model/cursor.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { FileState, FilesState } from "./files-state.ts";

/** What of an edit concerns files. */
export type FilesChange = Readonly<{
  to: CursorValue | undefined;
  landedBefore: "missing" | "again";
  kind?: "state-edit" | "closed";
}>;

/**
 * The state after an edit. Every file is asked for again without validators; with `landedBefore: "missing"` only what
 * has other bytes than its newest landed version is landed, with `"again"` all of it, as versions that follow.
 *
 * @throws {@link LeatError} `CURSOR_INVALID`: there is no cursor that could be set.
 */
export function editFilesState(found: FilesState, place: StreamPlace, change: FilesChange): FilesState {
  if (change.to !== undefined) {
    throw new LeatError("CURSOR_INVALID", {
      message: `${describePlace(place)} has files and no cursor that could be set.`,
      hint: "Reset it: then every file is fetched again, and those that differ are landed.",
    });
  }
  if (change.kind === "closed") return found;
  const validators = { etag: undefined, lastModified: undefined };
  const isForgotten = change.landedBefore === "again";
  const edited = [...found.files].map(([id, file]): [string, FileState] => [
    id,
    { ...file, validators, isForgotten: file.isForgotten || isForgotten },
  ]);
  return { files: new Map(edited) };
}
