/** The project's streams and datasets as flows work with them. Engines are loaded when a task needs them first. */
import type { Ledger } from "../ports/ledger.ts";
import type { ProjectWork, WorkWorld } from "../ports/project-work.ts";
import type { ProgressEvent } from "../ports/world.ts";
import type { StreamTenants, SyncItem, SyncJob, SyncPorts, SyncResult } from "../sync/sync-job.ts";
import type { Invocation } from "./invocation.ts";
import { openBuildWork } from "./open-build-work.ts";
import type { OpenProject } from "./open-project.ts";
import { openShareWork } from "./open-share-work.ts";
import { withCleanup } from "./with-cleanup.ts";

/** How often an extract begins anew when another committed first: two at once are settled by one. */
const conflictRetriesMax = 3;

/** Rounds of an extract that stops at its bounds; each commits. */
const roundsMax = 1000;

/** Extracts of one process at a time; how many of one source is the flow's limit, over all processes. */
const extractsMax = 1000;

/** Opens the work of a project. Nothing is loaded before it is asked for. */
export function openWork(invocation: Invocation, opened: OpenProject, ledger: Ledger): ProjectWork {
  let lanes: SyncPorts["lanes"] | undefined;
  const openSync = async (atEnd: Invocation["atEnd"]): Promise<SyncPorts> => {
    const ports = await opened.openSyncPorts(() => {}, { extractsPerSource: extractsMax, atEnd });
    lanes ??= ports.lanes; // One warehouse, one lane: steps of this process load one after the other.
    return { ...ports, lanes };
  };
  return {
    async planStreams(names, ids) {
      const [{ streamName }, { choosePairs }] = await Promise.all([
        import("../sync/choose.ts"),
        import("../sync/choose-pairs.ts"),
      ]);
      const work = { project: opened.project, tenants: opened.readTenants() };
      const streams = choosePairs(work, { streams: names, tenants: ids });
      const planned = new Set(streams.map(streamName));
      return streams.map((stream) => {
        const { partitions } = stream.spec;
        const parent = partitions?.from === "stream" ? `${stream.source.name}.${partitions.stream}` : null;
        return {
          stream: streamName(stream),
          source: stream.source.name,
          parent: parent !== null && planned.has(parent) ? parent : null,
          tenants: stream.tenants.map(({ id }) => id),
        };
      });
    },
    async findFiles(name, tenant, world) {
      const { findProjectFiles } = await import("./find-project-files.ts");
      return withCleanup(async (atEnd) =>
        findProjectFiles(opened, await openSync(atEnd), { name, tenant }, world.signal),
      );
    },
    async extract(stream, tenant, world, files) {
      const chosen = { stream, tenants: [tenant], steps: "extract", files } as const;
      const { items } = await withCleanup(async (atEnd) =>
        syncSteps(opened, await openSync(atEnd), chosen, world),
      );
      const { printItem } = await import("../sync/print-item.ts");
      return printItem(refuseFailed(items));
    },
    async load(stream, tenants, world) {
      const chosen = { stream, tenants, steps: "load" } as const;
      const items = await withCleanup(async (atEnd) => {
        const [{ chooseStream }, { tellSchema }, ports] = await Promise.all([
          import("../sync/choose.ts"),
          import("./tell-schema.ts"),
          openSync(atEnd),
        ]);
        const { spec } = chooseStream(opened.project, stream);
        const result = await syncSteps(opened, ports, chosen, world);
        const changes = result.changes.map(({ change }) => change);
        await tellSchema(ledger, ports.warehouse, { name: stream, spec, runId: world.runId, changes });
        return result.items;
      });
      await tellPackages(ledger, stream, world, items);
      refuseFailed(items);
      return {
        packages: sum(items, (item) => item.load?.packages),
        loaded: sum(items, (item) => item.load?.loaded),
        rejected: sum(items, (item) => item.load?.rejected),
      };
    },
    async planDatasets(names) {
      const { chooseDatasets } = await import("../dataset/choose-datasets.ts");
      return chooseDatasets(opened.project.datasets, names).map(({ name }) => name);
    },
    ...openShareWork(invocation, opened),
    ...openBuildWork(invocation, opened, ledger),
  };
}

/** Some steps of a sync of one stream. */
async function syncSteps(
  opened: OpenProject,
  ports: SyncPorts,
  chosen: Readonly<{
    stream: string;
    tenants: readonly string[];
    steps: SyncJob["steps"];
    files?: readonly string[] | undefined;
  }>,
  world: WorkWorld,
): Promise<SyncResult> {
  const [{ chooseStream, streamName }, { choosePairs }, { syncProject }] = await Promise.all([
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/sync-project.ts"),
  ]);
  const stream = streamName(chooseStream(opened.project, chosen.stream)); // One, and no source of several.
  const [pair] = choosePairs(
    { project: opened.project, tenants: opened.readTenants() },
    { streams: [stream], tenants: chosen.tenants },
  );
  const job: SyncJob = {
    streams: [await narrow(pair!, chosen.files)], // A named stream has a tenant, or was refused.
    steps: chosen.steps,
    modeOf: () => ({ kind: "incremental" }),
    tenantColumn: opened.project.tenantColumn,
    idempotencyKey: undefined, // A repeated extract finds what is committed by itself.
    softDeadlineMs: undefined,
    conflictRetriesMax,
    roundsMax,
  };
  const progress = (event: ProgressEvent): void => tellProgress(world, event);
  return await syncProject({ ...ports, progress }, job, world.signal);
}

/** The stream as if its publisher showed the chosen files alone. */
async function narrow(stream: StreamTenants, files: readonly string[] | undefined): Promise<StreamTenants> {
  if (files === undefined) return stream;
  const { showOnly } = await import("./find-project-files.ts");
  return { ...stream, source: showOnly(stream.source, new Set(files)) };
}

function tellProgress(world: WorkWorld, event: ProgressEvent): void {
  if (event.type === "warning") world.tell("warn", event.message);
  if (event.type === "committed")
    world.tell("info", `committed package ${event.seq}, ${event.landed} records`);
  if (event.type === "load") world.tell("info", `loaded package ${event.seq}, ${event.rows} rows`);
}

/** The last item; the first failure is thrown, since a task has one end. */
function refuseFailed(items: readonly SyncItem[]): SyncItem {
  for (const { extractError, loadError } of items) {
    const error = extractError ?? loadError;
    if (error !== undefined) throw error;
  }
  return items.at(-1)!; // One stream was chosen, and a tenant.
}

/**
 * Tells of a tenant's newest package, once, also where it was loaded before: that load may have died before it told, or
 * been another command, which tells of nothing.
 */
async function tellPackages(
  ledger: Ledger,
  stream: string,
  { runId }: WorkWorld,
  items: readonly SyncItem[],
): Promise<void> {
  for (const { tenant, load } of items) {
    if (load === undefined || load.error !== undefined || load.seq === 0) continue;
    await ledger.appendEvent({
      kind: "stream.packages",
      subject: stream,
      runId,
      data: { tenant, seq: load.seq, rows: load.loaded },
      dedupKey: `stream.packages:${stream}:${tenant}:${load.seq}`,
    });
  }
}

const sum = (items: readonly SyncItem[], read: (item: SyncItem) => number | undefined): number =>
  items.reduce((total, item) => total + (read(item) ?? 0), 0);
