/** Sources, streams, tenants and datasets: where each stands. Reads the landing only; no engine is loaded. */
import type { FastifyInstance } from "fastify";
import { chooseDataset } from "../../dataset/choose-datasets.ts";
import { listVersions } from "../../dataset/list-versions.ts";
import { listTenants, readHead } from "../../landing/log.ts";
import type { TenantId } from "../../model/ids.ts";
import type { StateEdit } from "../../model/manifest.ts";
import { allStreams, chooseStream, streamName } from "../../sync/choose.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";
import { printCounts, printState } from "../../sync/print-item.ts";
import type { ChosenStream } from "../../sync/sync-job.ts";
import {
  type AnswerSchema,
  answers,
  anyJson,
  anyObject,
  count,
  flag,
  instant,
  listOf,
  orNull,
  record,
  ref,
  text,
  texts,
} from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { readPackages } from "./read-packages.ts";
import { idParams, limitField, listedMax } from "./request-schemas.ts";

type Id = { Params: { id: string } };

const sourceAnswer = record({
  name: text,
  streams: listOf(record({ name: text, primary_key: anyJson, landing_table: text, has_files: flag })),
});

const standingsAnswer: AnswerSchema = record({ stream: text, tenants: listOf(ref("Standing")) });

const packageAnswer = record({
  seq: count,
  run: text,
  kind: text,
  committed_at: instant,
  counts: { type: "object", additionalProperties: count },
  files: count,
  bytes: count,
  before: ref("Place"),
  after: ref("Place"),
  edit: orNull(record({ who: text, at: instant, why: text, landed_before: text })),
});

const datasetAnswer = record({
  name: text,
  description: text,
  versions: count,
  version: orNull(text),
  seq: orNull(count),
  rows: orNull(count),
  built_at: orNull(instant),
});

const versionAnswer = record({
  version: text,
  seq: count,
  rows: count,
  built_at: instant,
  is_collected: flag,
  run: {
    ...orNull(text),
    description: "The run of a flow that published it, where one did and it is known still.",
  },
  columns: listOf(anyObject),
  rules: listOf(anyObject),
  lineage: anyObject,
});

/** Rows of datasets that are brought to memory before anybody asks for them: five million take some 40 MB. */
const warmRowsMax = 5_000_000;

/** Logs that are read at once: each is some requests to the store. */
const readsAtOnce = 8;

export function addDataRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { project, store, ledger } = ports;
  const tags = ["data"];
  app.get(
    "/sources",
    {
      schema: {
        tags,
        summary: "Sources and their streams.",
        response: answers(record({ sources: listOf(sourceAnswer) })),
      },
    },
    async () => ({
      sources: project.sources.map((source) => ({
        name: source.name,
        streams: source.streams.map((spec) => ({
          name: spec.name,
          primary_key: spec.primaryKey,
          landing_table: spec.landingTable,
          has_files: source.openFiles !== undefined,
        })),
      })),
    }),
  );
  app.get(
    "/tenants",
    {
      schema: {
        tags,
        summary: "Tenants, by id alone; `default` where a source belongs to none.",
        response: answers(record({ tenants: texts })),
      },
    },
    async () => ({
      tenants: listTenantIds(ports),
    }),
  );
  app.get<Id>(
    "/streams/:id",
    {
      schema: {
        tags,
        summary: "Where a stream (`source.stream`) stands for each tenant: cursor, lag and freshness.",
        params: idParams,
        response: answers(standingsAnswer),
      },
    },
    async (request) => {
      const chosen = chooseStream(project, request.params.id);
      return { stream: streamName(chosen), tenants: await readStandings(ports, chosen) };
    },
  );
  app.get(
    "/streams",
    {
      schema: {
        tags,
        summary: "Where every stream stands.",
        response: answers(record({ streams: listOf(standingsAnswer) })),
      },
    },
    async () => {
      const streams = [];
      for (const chosen of allStreams(project)) {
        streams.push({ stream: streamName(chosen), tenants: await readStandings(ports, chosen) });
      }
      return { streams };
    },
  );
  app.get<Id & { Querystring: { tenant: string; before?: number; limit: number } }>(
    "/streams/:id/packages",
    {
      schema: {
        tags,
        summary: "Landed packages of a stream and tenant, newest first.",
        params: idParams,
        querystring: {
          type: "object",
          required: ["tenant"],
          properties: {
            tenant: { type: "string" },
            before: { type: "integer", minimum: 1, description: "Go on below this sequence." },
            limit: { ...limitField, maximum: 200 },
          },
        },
        response: answers(record({ packages: listOf(packageAnswer) })),
      },
    },
    async ({ params, query }) => {
      const { source, spec } = chooseStream(project, params.id);
      const place = { source: source.name, stream: spec.name, tenant: query.tenant as TenantId }; // A place in the landing.
      const { packages } = await readPackages(store, place, { before: query.before, limit: query.limit });
      return {
        packages: packages.map((manifest) => ({
          seq: manifest.seq,
          run: manifest.runId,
          kind: manifest.kind,
          committed_at: manifest.committedAt,
          counts: printCounts(manifest.counts),
          files: manifest.parts.length + (manifest.files?.length ?? 0),
          bytes: [...manifest.parts, ...(manifest.files ?? [])].reduce((sum, { bytes }) => sum + bytes, 0),
          before: printState(spec, manifest.before),
          after: printState(spec, manifest.state.main),
          edit: printEdit(manifest.edit),
        })),
      };
    },
  );
  app.get(
    "/datasets",
    {
      schema: {
        tags,
        summary: "Datasets and their newest versions.",
        response: answers(record({ datasets: listOf(datasetAnswer) })),
      },
    },
    async () => {
      const datasets = [];
      for (const { name, description } of project.datasets) {
        const { versions, count } = await listVersions(store, name, 1);
        const newest = versions[0]?.entry;
        datasets.push({
          name,
          description,
          versions: count,
          version: newest?.version ?? null,
          seq: newest?.seq ?? null,
          rows: newest?.rowCount ?? null,
          built_at: newest?.builtAt ?? null,
        });
      }
      // Who sees the list looks at one next, and its first rows are to be there at once.
      ports.data.warm(
        datasets.flatMap(({ name, rows }) => (rows !== null && rows <= warmRowsMax ? [name] : [])),
      );
      return { datasets };
    },
  );
  app.get<Id & { Querystring: { limit: number } }>(
    "/datasets/:id/versions",
    {
      schema: {
        tags,
        summary: "Versions of a dataset, newest first, with their rules and lineage.",
        params: idParams,
        querystring: { type: "object", properties: { limit: { ...limitField, maximum: 200 } } },
        response: answers(record({ count, versions: listOf(versionAnswer) })),
      },
    },
    async ({ params, query }) => {
      const { name } = chooseDataset(project.datasets, params.id);
      const [{ versions, count }, events] = await Promise.all([
        listVersions(store, name, query.limit),
        ledger.listEvents({
          kinds: ["dataset.version"],
          subject: name,
          isNewestFirst: true,
          limit: listedMax,
        }),
      ]);
      const runBySeq = new Map(events.map(({ data, runId }) => [data["seq"], runId]));
      return {
        count,
        versions: versions.map(({ entry, isCollected }) => ({
          version: entry.version,
          seq: entry.seq,
          rows: entry.rowCount,
          built_at: entry.builtAt,
          is_collected: isCollected,
          run: runBySeq.get(entry.seq) ?? null,
          columns: entry.schema.columns,
          rules: entry.rules,
          lineage: entry.lineage,
        })),
      };
    },
  );
}

/** The project's, and others for whom a source is read. */
function listTenantIds({ project, readTenants }: ControlPorts): readonly string[] {
  const tenants = readTenants();
  const read = choosePairs({ project, tenants }).flatMap((stream) => stream.tenants);
  return [...new Set([...tenants, ...read].map(({ id }) => id))];
}

/** Who has set a state, when and why. */
export const printEdit = (edit: StateEdit | undefined): unknown =>
  edit === undefined ? null : { who: edit.who, at: edit.at, why: edit.why, landed_before: edit.landedBefore };

/** The newest manifest of each tenant, also of those that are no longer in the tenants file. */
async function readStandings(
  ports: ControlPorts,
  { source, spec }: ChosenStream,
): Promise<readonly unknown[]> {
  const { store, ledger } = ports;
  const ids = await listTenants(store, source.name, spec.name);
  const standings: unknown[] = [];
  for (let start = 0; start < ids.length; start += readsAtOnce) {
    const some = ids.slice(start, start + readsAtOnce).map(async (tenant) => {
      const head = await readHead(store, { source: source.name, stream: spec.name, tenant });
      if (head === undefined) return { tenant };
      const { manifest } = head;
      const state = printState(spec, manifest.state.main);
      const cursorMs = typeof state["cursor"] === "string" ? Date.parse(state["cursor"]) : Number.NaN;
      return {
        tenant,
        ...state,
        seq: manifest.seq,
        committed_at: manifest.committedAt,
        // How old the newest record is that is landed, and how long ago anything was committed.
        lag_ms: Number.isNaN(cursorMs) ? null : Math.max(0, ledger.nowMs() - cursorMs),
        freshness_ms: Math.max(0, ledger.nowMs() - Date.parse(manifest.committedAt)),
      };
    });
    standings.push(...(await Promise.all(some)));
  }
  return standings;
}
