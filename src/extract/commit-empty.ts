/** An empty manifest at the head of a log: takes the next seq, so that what was written for it is garbage (I15). */
import { readHead } from "../landing/log.ts";
import type { StreamPlace, TenantId } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { StateEditPorts } from "./edit-state.ts";
import { visibleGeneration } from "./extract-progress.ts";
import { ExtractRun } from "./extract-run.ts";
import { isOfFiles, readFilesState } from "./files-state.ts";
import { readState } from "./read-state.ts";
import { freshState } from "./run-state.ts";

/** Commits it. The state is handed on unchanged. */
export async function commitEmpty(
  ports: StateEditPorts,
  job: Readonly<{ spec: StreamSpec; tenant: TenantId; tenantColumn: string }>,
): Promise<Manifest> {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant };
  const head = await readHead(ports.store, place);
  const state = await (isOfFiles(head) ? readFilesState(ports.store, head) : readState(ports.store, head));
  const run = ExtractRun.forEdit(ports, job, head, "files" in state ? freshState() : state);
  return run.commit({
    kind: "empty",
    generation: visibleGeneration(head),
    isFinal: false,
    state,
    isOrdered: head?.manifest.isOrdered ?? true,
  });
}
