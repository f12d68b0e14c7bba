/** Files of a stream one by one, for flows that download each in a task of its own. */
import { LeatError } from "../errors/leat-error.ts";
import { readFilesState } from "../extract/files-state.ts";
import { readHead } from "../landing/log.ts";
import type { PlannedFile } from "../ports/project-work.ts";
import type { FileReader, Source } from "../ports/source.ts";
import { choosePair } from "../sync/choose-pairs.ts";
import type { SyncPorts } from "../sync/sync-job.ts";
import type { OpenProject } from "./open-project.ts";

/**
 * Finds what the publisher shows, and what of it is landed.
 *
 * @throws LeatError `FLOW_MISUSED` where the stream's records are no files.
 */
export async function findProjectFiles(
  opened: OpenProject,
  ports: SyncPorts,
  chosen: Readonly<{ name: string; tenant: string }>,
  signal: AbortSignal,
): Promise<readonly PlannedFile[]> {
  const work = { project: opened.project, tenants: opened.readTenants() };
  const { source, spec, tenant } = choosePair(work, chosen.name, chosen.tenant);
  if (source.openFiles === undefined) {
    throw new LeatError("FLOW_MISUSED", {
      message: `The stream ${chosen.name} is not one of files.`,
      hint: "Land what is new of it by extractStream.",
    });
  }
  const place = { source: source.name, stream: spec.name, tenant: tenant.id };
  const { files } = await readFilesState(ports.store, await readHead(ports.store, place));
  const landed = new Set([...files].map(([id]) => id));
  const { clock, random, secrets, places, progress } = ports;
  const reader = await source.openFiles(spec.name, tenant, { clock, random, secrets, places, progress });
  try {
    const found = new Map<string, PlannedFile>();
    for await (const { id, name } of reader.find(signal)) {
      found.set(id, { id, name, isLanded: landed.has(id) });
      if (found.size <= reader.limits.filesMax) continue;
      throw new LeatError("RUN_BOUND_REACHED", {
        message: `${chosen.name}: more than ${reader.limits.filesMax} files were found.`,
        hint: "Narrow `match` of the stream, or raise its `filesMax`.",
      });
    }
    return [...found.values()];
  } finally {
    await reader.close();
  }
}

/** The same source, whose readers find the files of these ids alone. */
export function showOnly(source: Source, ids: ReadonlySet<string>): Source {
  const { openFiles } = source;
  if (openFiles === undefined) return source;
  return {
    name: source.name,
    streams: source.streams,
    tenants: source.tenants,
    open: (...args) => source.open(...args),
    openFiles: async (...args) => showOnlyOf(await openFiles.apply(source, args), ids),
  };
}

function showOnlyOf(reader: FileReader, ids: ReadonlySet<string>): FileReader {
  return {
    limits: reader.limits,
    async *find(signal) {
      for await (const file of reader.find(signal)) if (ids.has(file.id)) yield file;
    },
    fetch: (...args) => reader.fetch(...args),
    get requestCount() {
      return reader.requestCount;
    },
    close: () => reader.close(),
  };
}
