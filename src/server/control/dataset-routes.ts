/** Datasets: their rows by the data API's own addresses, what differs between versions, and the engine for SQL in browsers. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { chooseDataset } from "../../dataset/choose-datasets.ts";
import { LeatError } from "../../errors/leat-error.ts";
import type { DatasetManifest } from "../../model/dataset-manifest.ts";
import type { ApiRequest } from "../../serve/api-answer.ts";
import { toHeaderBlock } from "../data/answer-head.ts";
import { sqlEngineInstall } from "../data/pages/sql-engine.ts";
import { sendAnswer } from "../data/send-answer.ts";
import { SlowReaders, slowReaderDefaults } from "../data/slow-readers.ts";
import { answers, anyObject, count, instant, listOf, orNull, record, text, texts } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams } from "./request-schemas.ts";

type Id = { Params: { id: string } };

/** How long two versions may be compared, ms. */
const compareMs = 120_000;

const versionAnswer = record({ version: text, seq: count, rows: count, built_at: instant });

/** Whatever a browser makes of data, it is no page. */
const guards = toHeaderBlock([
  "x-content-type-options",
  "nosniff",
  "content-security-policy",
  "default-src 'none'; frame-ancestors 'none'; sandbox",
]);

export function addDatasetRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { project, data } = ports;
  const tags = ["datasets"];
  const readers = new SlowReaders(slowReaderDefaults, () => performance.now());
  app.addHook("onClose", async () => readers.close());

  // DuckDB in a browser asks by HEAD first whether it may have parts of a file.
  app.route({
    method: ["GET", "HEAD"],
    url: "/data/*",
    schema: {
      tags,
      summary: "The data API of the project's datasets, at its own addresses below this one.",
      description:
        "Rows, facets, aggregates, exports and Parquet files, as `leat serve` answers them: /api/data/datasets/<name>, /api/data/datasets/<name>/rows?…, /api/data/v/<version>/datasets/<name>/…. Addresses in answers begin below /api/data. Datasets with rows of tenants are here, too.",
    },
    handler: async (request, reply) => {
      const url = request.url.slice(request.url.indexOf("/api/data") + "/api/data".length);
      const name = /^\/(?:v\/[^/?]+\/)?datasets\/([^/?]+)/.exec(url)?.[1];
      if (name === undefined) {
        throw new LeatError("DATASET_UNKNOWN", {
          message: "The address names no dataset.",
          hint: "Write such as /api/data/datasets/<name>/rows; /api/datasets lists them.",
        });
      }
      const dataset = chooseDataset(project.datasets, decode(name));
      const api = await data.openApi(dataset.name);
      const answer = await api.answer(toApiRequest(request, url));
      reply.hijack();
      sendAnswer(reply.raw, answer, guards, {
        readers,
        onSent: () => {},
        onBroken: (error) => ports.onProblem(error),
      });
    },
  });
  app.get<Id & { Querystring: { before: string; after: string; samples: number } }>(
    "/datasets/:id/diff",
    {
      schema: {
        tags,
        summary: "What differs between two versions of a dataset: columns, and rows by their key.",
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            before: { type: "string", minLength: 1, maxLength: 64, default: "previous" },
            after: { type: "string", minLength: 1, maxLength: 64, default: "latest" },
            samples: { type: "integer", minimum: 0, maximum: 1000, default: 50 },
          },
        },
        response: answers(
          record({
            dataset: text,
            before: versionAnswer,
            after: versionAnswer,
            schema: texts,
            added: count,
            removed: count,
            changed: count,
            unchanged: count,
            columns: { type: "object", additionalProperties: count },
            rows: listOf(
              record({ change: { enum: ["added", "removed", "changed"] }, key: anyObject, cells: anyObject }),
            ),
          }),
        ),
      },
    },
    async ({ params, query }) => {
      const pair = {
        dataset: params.id,
        before: query.before,
        later: query.after,
        samplesMax: query.samples,
      };
      const { before, later, schema, rows } = await data.compare(pair, AbortSignal.timeout(compareMs));
      const { samples, ...counts } = rows;
      return {
        dataset: params.id,
        before: printVersion(before),
        after: printVersion(later),
        schema,
        ...counts,
        rows: samples,
      };
    },
  );
  app.get(
    "/sql-engine",
    {
      schema: {
        tags,
        summary: "Where browsers find the engine that runs SQL in them.",
        response: answers(record({ version: orNull(text), files: texts, path: orNull(text), install: text })),
      },
    },
    async () => {
      const engine = data.sqlEngine();
      return {
        version: engine?.version ?? null,
        files: [...(engine?.files.keys() ?? [])],
        path: engine === undefined ? null : `/api/sql-engine/${engine.version}/`,
        install: sqlEngineInstall,
      };
    },
  );
  app.get<{ Params: { version: string; name: string } }>(
    "/sql-engine/:version/:name",
    { schema: { tags, summary: "A file of the engine; it changes with its version." } },
    async ({ params }, reply) => {
      const engine = data.sqlEngine();
      const file = engine?.version === params.version ? engine.files.get(params.name) : undefined;
      if (file === undefined) {
        throw new LeatError("DEPENDENCY_MISSING", {
          message: "The engine for SQL in browsers is not installed, or not of this version.",
          hint: `Run: ${sqlEngineInstall}`,
        });
      }
      return reply
        .headers({
          "content-type": file.contentType,
          "cache-control": "private, max-age=31536000, immutable",
          // It runs as a worker, and compiles WebAssembly there; it asks this server alone.
          "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
          "x-content-type-options": "nosniff",
        })
        .send(Buffer.from(await file.bytes()));
    },
  );
}

const printVersion = ({ version, seq, rowCount, builtAt }: DatasetManifest): unknown => ({
  version,
  seq,
  rows: rowCount,
  built_at: builtAt,
});

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // Nothing is called so.
  }
}

function toApiRequest(request: FastifyRequest, url: string): ApiRequest {
  const gone = new AbortController();
  request.raw.on("close", () => gone.abort());
  return { method: request.method, url, headers: request.headers, signal: gone.signal, takesHead: true };
}
