/** Lineage: what the project's sources, streams, tables and datasets are made of, and which run made each last. */
import type { FastifyInstance } from "fastify";
import { inputLabels } from "../../flow/dataset-inputs.ts";
import { printInstant } from "../../flow/run-json.ts";
import type { Maker } from "../../ports/ledger.ts";
import type { Project } from "../../ports/project.ts";
import { answers, flag, instant, listOf, orNull, record, text } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";

/** Arrows that are told; those of a task that names a hundred inputs and outputs are ten thousand. */
const edgesMax = 10_000;

const dayMs = 86_400_000;

const makerAnswer = record({ run: text, flow: text, deployment: text, task: text, at: instant });

const lineageAnswer = record({
  nodes: listOf(record({ id: text, kind: text, name: text, made_by: orNull(makerAnswer) })),
  edges: listOf(record({ from: text, to: text, is_declared: flag })),
});

export function addLineageRoutes(app: FastifyInstance, { project, ledger }: ControlPorts): void {
  app.get<{ Querystring: { days: number } }>(
    "/lineage",
    {
      schema: {
        tags: ["data"],
        summary: "What datasets, tables and streams are made of, and which run made each last.",
        description:
          "Arrows are declared by the project, or were told by tasks that ended well (`produces`, `consumes`).",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            days: {
              type: "integer",
              minimum: 1,
              maximum: 90,
              default: 7,
              description: "Tasks of so many days are looked at.",
            },
          },
        },
        response: answers(lineageAnswer),
      },
    },
    async ({ query }) => {
      const makers = await ledger.listMakers(ledger.nowMs() - query.days * dayMs);
      return drawLineage(project, makers);
    },
  );
}

type Drawn = Readonly<{ nodes: readonly object[]; edges: readonly object[] }>;

/** @param makers - newest first. */
export function drawLineage(project: Pick<Project, "sources" | "datasets">, makers: readonly Maker[]): Drawn {
  const madeBy = new Map<string, Maker | undefined>();
  const edges = new Map<string, Readonly<{ from: string; to: string; is_declared: boolean }>>();
  const addEdge = (from: string, to: string, isDeclared: boolean): void => {
    for (const id of [from, to]) if (!madeBy.has(id)) madeBy.set(id, undefined);
    const name = JSON.stringify([from, to]);
    if (from === to || edges.has(name) || edges.size >= edgesMax) return;
    edges.set(name, { from, to, is_declared: isDeclared });
  };
  for (const [from, to] of declaredEdges(project)) addEdge(from, to, true);
  for (const { name } of project.datasets)
    if (!madeBy.has(`dataset:${name}`)) madeBy.set(`dataset:${name}`, undefined);
  const fullName = (label: string): string => withStream(project, label);
  for (const maker of makers) {
    for (const to of maker.produces.map(fullName)) {
      if (madeBy.get(to) === undefined) madeBy.set(to, maker);
      for (const from of maker.consumes.map(fullName)) addEdge(from, to, false);
    }
  }
  return {
    nodes: [...madeBy].map(([id, maker]) => {
      const at = id.indexOf(":");
      return {
        id,
        kind: at === -1 ? "other" : id.slice(0, at),
        name: id.slice(at + 1),
        made_by:
          maker === undefined
            ? null
            : {
                run: maker.runId,
                flow: maker.flow,
                deployment: maker.deployment,
                task: maker.task,
                at: printInstant(maker.atMs),
              },
      };
    }),
    edges: [...edges.values()],
  };
}

function* declaredEdges({
  sources,
  datasets,
}: Pick<Project, "sources" | "datasets">): Generator<readonly [string, string]> {
  for (const source of sources) {
    for (const { name, partitions } of source.streams) {
      const stream = `stream:${source.name}.${name}`;
      yield [`source:${source.name}`, stream];
      if (partitions?.from === "stream") yield [`stream:${source.name}.${partitions.stream}`, stream];
      if (source.openFiles === undefined) yield [stream, `table:${source.name}.${name}`];
    }
  }
  for (const dataset of datasets) {
    for (const input of inputLabels(dataset, sources)) yield [input, `dataset:${dataset.name}`];
  }
}

/** A source of one stream may be named for it. */
function withStream({ sources }: Pick<Project, "sources">, label: string): string {
  const [kind, name] = [label.slice(0, label.indexOf(":")), label.slice(label.indexOf(":") + 1)];
  if (kind !== "stream" && kind !== "table") return label;
  const stream = sources.find((source) => source.name === name)?.streams[0];
  return stream === undefined ? label : `${kind}:${name}.${stream.name}`;
}
