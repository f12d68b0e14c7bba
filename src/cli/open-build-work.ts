/** Builds of datasets as flows do them, stage by stage. Engines are loaded when a task needs them first. */
import type { BuildJob, BuildPorts } from "../dataset/build-job.ts";
import { inputLabels } from "../flow/dataset-inputs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ProjectWork, WorkWorld } from "../ports/project-work.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { withCleanup } from "./with-cleanup.ts";

/** Files read at once within a check: those that were not laid out before it. Each process may take 2 GB. */
const readersMax = 2;

/** How often a check begins anew when another build published first: two at once are settled by one. */
const conflictRetriesMax = 3;

type BuildWork = Pick<ProjectWork, "listUntidied" | "tidy" | "check" | "publish">;

export function openBuildWork(invocation: Invocation, opened: OpenProject, ledger: Ledger): BuildWork {
  // Of the whole process: a thousand files, each laid out in a task of its own, need not a thousand reading processes.
  let openReader: BuildPorts["openReader"] | undefined;
  /** Does one stage with all that it needs, and closes it. */
  const withBuild = async <Result>(
    dataset: string,
    world: WorkWorld,
    call: (
      stages: typeof import("../dataset/build-stages.ts"),
      ports: BuildPorts,
      job: BuildJob,
    ) => Promise<Result>,
  ): Promise<Result> => {
    const [stages, { chooseDataset }, { openBuildPorts, openTidyReading }, { readVersion }] =
      await Promise.all([
        import("../dataset/build-stages.ts"),
        import("../dataset/choose-datasets.ts"),
        import("./open-datasets.ts"),
        import("./read-version.ts"),
      ]);
    const spec = chooseDataset(opened.project.datasets, dataset);
    const job = { spec, leatVersion: readVersion(), readersMax, conflictRetriesMax };
    return await withCleanup(async (atEnd) => {
      const ports = await openBuildPorts({ ...invocation, atEnd }, opened, tellProgress(world));
      openReader ??= openTidyReading(invocation.atEnd);
      return await call(stages, { ...ports, openReader }, job);
    });
  };
  return {
    listUntidied: (dataset, world) =>
      withBuild(dataset, world, async ({ listUntidied }, ports, job) =>
        (await listUntidied(ports, job)).map(({ name, fields, sha256, objectKey }) => ({
          name,
          fields,
          sha256,
          objectKey,
        })),
      ),
    tidy: (dataset, file, world) =>
      withBuild(dataset, world, ({ tidyFile }, ports, job) => tidyFile(ports, job, file, world.signal)),
    check: (dataset, world) =>
      withBuild(dataset, world, async ({ checkStage }, ports, job) => {
        const { ref, seen } = await checkStage(ports, job, world.signal);
        const warned = seen.rules.filter((rule) => !rule.isPassed);
        for (const { name, failed } of warned) world.tell("warn", `${name}: ${failed} rows do not hold`);
        const { rowCount, readNow } = seen;
        return {
          dataset,
          ...ref,
          rows: rowCount,
          filesRead: readNow.length,
          warnings: warned.map(({ name }) => name),
          inputs: inputLabels(job.spec, opened.project.sources),
        };
      }),
    publish: (checked, world) =>
      withBuild(checked.dataset, world, async ({ publishStage }, ports, job) => {
        const published = await publishStage(ports, job, checked, world.signal);
        if (published.status === "superseded") return published;
        const { version, seq, rowCount, parts } = published.manifest;
        // Also where it was published before: that build may have died, or been another command, which tells of nothing.
        await ledger.appendEvent({
          kind: "dataset.version",
          subject: checked.dataset,
          runId: world.runId,
          data: { version, seq, rows: rowCount },
          dedupKey: `dataset.version:${checked.dataset}:${seq}`,
        });
        return { status: published.status, version, seq, rows: rowCount, parts: parts.length };
      }),
  };
}

const tellProgress =
  (world: WorkWorld): BuildPorts["progress"] =>
  (event) => {
    if (event.type === "reading" && !event.isCached) world.tell("info", `read ${event.file}`);
    if (event.type === "checking") world.tell("info", `checking ${event.rows} rows`);
    if (event.type === "publishing") world.tell("info", `writing ${event.rows} rows`);
  };
