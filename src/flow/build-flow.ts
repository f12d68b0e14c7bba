/** Ready-made: builds datasets, triggered by the streams and datasets that they are made of. */
import { z } from "zod";
import { type DatasetSpec, datasetsBefore } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";
import { streamsOf } from "./dataset-inputs.ts";
import { type FlowOptions, flow } from "./flow.ts";
import { type Flow, isFlow } from "./flow-context.ts";
import { readyMade } from "./ready-made.ts";
import type { TriggerDeclaration } from "./trigger-declaration.ts";
import { type BuiltDataset, buildDataset, planDatasets } from "./work-tasks.ts";

/** Parameters of a build. */
export type BuildParams = {
  /** Names; none: all. */
  datasets?: string[] | undefined;
};

const paramsSchema: z.ZodType<{ datasets: string[] }, BuildParams> = z.object({
  datasets: z.array(z.string()).default([]),
});

/** What became of each dataset. */
export type BuiltByName = Readonly<{ dataset: string }> & BuiltDataset;

/** What `buildFlow` takes. */
export type BuildFlowOptions = Readonly<
  Pick<
    FlowOptions<typeof paramsSchema>,
    "schedules" | "triggers" | "notify" | "pool" | "priority" | "description"
  > & {
    /** Default `build`. */
    name?: string;
    /** Whether it runs when a stream or dataset that a dataset reads has news. Default: yes. */
    onNews?: boolean;
  }
>;

/** Marks a flow that is to be triggered by the inputs of the project's datasets. */
const buildsOnNews: unique symbol = Symbol.for("leat.flow.buildsOnNews");

/**
 * Makes a flow that builds datasets, each in the order in which they read each other: files are laid out in a task each,
 * then rows and rules are checked, then what has changed is published.
 *
 * In `flows` of a project it runs by itself when a stream got packages or a dataset a version: of the datasets that read
 * them, and no others.
 */
export function buildFlow(options: BuildFlowOptions = {}): Flow<BuildParams, readonly BuiltByName[]> {
  const { name = "build", onNews = true, ...rest } = options;
  const plain = flow(
    name,
    {
      description: "Builds datasets and publishes what has changed.",
      ...rest,
      params: paramsSchema,
      concurrency: { limit: 1 }, // Two builds of one dataset would race for its log.
    },
    async (ctx, { datasets }) => {
      const built: BuiltByName[] = [];
      for (const dataset of await planDatasets(ctx, datasets)) {
        built.push({ dataset, ...(await buildDataset(ctx, dataset)) });
      }
      return built;
    },
  );
  const made = { spec: Object.freeze({ ...plain.spec, [readyMade]: "build" as const }) };
  return Object.freeze(onNews ? { ...made, [buildsOnNews]: true } : made);
}

/** The project's flows; those that build on news have a trigger for each input of a dataset. */
export function withNewsTriggers(
  flows: readonly Flow[],
  datasets: readonly DatasetSpec[],
  sources: readonly Source[],
): readonly Flow[] {
  return flows.map((one) => {
    if (!isFlow(one) || !(buildsOnNews in one)) return one;
    const triggers = [...one.spec.triggers, ...newsTriggers(datasets, sources)];
    return Object.freeze({ spec: Object.freeze({ ...one.spec, triggers }) });
  });
}

/** One trigger for each stream and dataset that is read, naming the datasets that read it. */
function newsTriggers(
  datasets: readonly DatasetSpec[],
  sources: readonly Source[],
): readonly TriggerDeclaration[] {
  const readers = new Map<string, string[]>();
  const byDataset = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, input: string, reader: string): void => {
    map.set(input, [...(map.get(input) ?? []), reader]);
  };
  for (const dataset of datasets) {
    for (const stream of streamsOf(dataset, sources)) add(readers, stream, dataset.name);
    for (const before of datasetsBefore(dataset)) add(byDataset, before, dataset.name);
  }
  return [
    ...[...readers].map(([stream, names]) => ({
      on: "stream.packages" as const,
      stream,
      params: { datasets: names },
    })),
    ...[...byDataset].map(([dataset, names]) => ({
      on: "dataset.version" as const,
      dataset,
      params: { datasets: names },
    })),
  ];
}
