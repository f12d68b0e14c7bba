/** Landed files: listed package by package, looked into, checked and taken home. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { readManifest } from "../../landing/log.ts";
import { readChecked } from "../../landing/part-reader.ts";
import { type StreamPlace, toTenantId } from "../../model/ids.ts";
import type { Manifest, RawFileEntry } from "../../model/manifest.ts";
import { chooseStream } from "../../sync/choose.ts";
import { printCounts, printState } from "../../sync/print-item.ts";
import {
  type AnswerSchema,
  answers,
  anyObject,
  count,
  flag,
  instant,
  listOf,
  orNull,
  record,
  ref,
  text,
} from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { printEdit } from "./data-routes.ts";
import { previewFile } from "./preview-file.ts";
import { readPackages } from "./read-packages.ts";

/** What a landed file is: records of the source, a file as its publisher had it, or what could be no row. */
type FileKind = "part" | "raw" | "quarantine";
type LandedFile = Readonly<{ kind: FileKind; entry: RawFileEntry | Manifest["parts"][number] }>;

const fileAnswer = record({
  key: text,
  name: text,
  kind: { enum: ["part", "raw", "quarantine"] },
  bytes: count,
  plain_bytes: orNull(count),
  records: orNull(count),
  crc32c: text,
  sha256: orNull(text),
  seq: count,
  run: text,
  committed_at: instant,
});

const packageAnswer: AnswerSchema = record({
  seq: count,
  kind: text,
  run: text,
  is_final: flag,
  idempotency_key: orNull(text),
  generation: record({ number: count, state: text }),
  started_at: instant,
  committed_at: instant,
  source_clock: orNull(instant),
  before: ref("Place"),
  after: ref("Place"),
  is_ordered: flag,
  counts: { type: "object", additionalProperties: count },
  columns: listOf(record({ name: text, facts: anyObject })),
  files: listOf(fileAnswer),
  edit: orNull(record({ who: text, at: instant, why: text, landed_before: text })),
  forgets: listOf(count),
});

/** Packages that one page of files is made of, and files of one package that are told: a manifest holds some thousands. */
const packagesMax = 100;
const filesMax = 5000;

const placeFields = {
  stream: { type: "string", minLength: 1, maxLength: 200, description: "source.stream" },
  tenant: { type: "string", minLength: 1, maxLength: 500 },
} as const;

const fileQuery = {
  type: "object",
  additionalProperties: false,
  required: ["stream", "tenant", "seq", "key"],
  properties: {
    ...placeFields,
    seq: { type: "integer", minimum: 1 },
    key: { type: "string", minLength: 1, maxLength: 2000, description: "Of one of the package's files." },
  },
} as const;

type FileQuery = { stream: string; tenant: string; seq: number; key: string };

export function addFileRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { project, store } = ports;
  const tags = ["files"];
  app.get<{ Querystring: { stream: string; tenant: string; before?: number; limit: number } }>(
    "/files",
    {
      schema: {
        tags,
        summary: "Landed files of a stream and tenant, newest package first.",
        querystring: {
          type: "object",
          additionalProperties: false,
          required: ["stream", "tenant"],
          properties: {
            ...placeFields,
            before: { type: "integer", minimum: 1, description: "Go on below this package." },
            limit: {
              type: "integer",
              minimum: 1,
              maximum: packagesMax,
              default: 50,
              description: "Packages.",
            },
          },
        },
        response: answers(
          record({
            files: listOf(fileAnswer),
            next_before: { ...orNull(count), description: "Where older ones go on; null: there are none." },
          }),
        ),
      },
    },
    async ({ query }) => {
      const { before, limit } = query;
      const found = await readPackages(store, placeOf(ports, query), { before, limit });
      return { files: found.packages.flatMap(printFiles), next_before: found.nextBefore ?? null };
    },
  );
  app.get<{ Params: { id: string; seq: number }; Querystring: { tenant: string } }>(
    "/streams/:id/packages/:seq",
    {
      schema: {
        tags,
        summary: "One landed package, with all that its manifest says.",
        params: {
          type: "object",
          required: ["id", "seq"],
          properties: { id: placeFields.stream, seq: { type: "integer", minimum: 1 } },
        },
        querystring: {
          type: "object",
          required: ["tenant"],
          properties: { tenant: placeFields.tenant },
        },
        response: answers(packageAnswer),
      },
    },
    async ({ params, query }) => {
      const named = { stream: params.id, tenant: query.tenant, seq: params.seq };
      const { spec } = chooseStream(project, params.id);
      const manifest = await readNamed(ports, named);
      return {
        seq: manifest.seq,
        kind: manifest.kind,
        run: manifest.runId,
        is_final: manifest.isFinal,
        idempotency_key: manifest.idempotencyKey ?? null,
        generation: { number: manifest.generation.number, state: manifest.generation.state },
        started_at: manifest.startedAt,
        committed_at: manifest.committedAt,
        source_clock:
          manifest.sourceClockMs === undefined ? null : new Date(manifest.sourceClockMs).toISOString(),
        before: printState(spec, manifest.before),
        after: printState(spec, manifest.state.main),
        is_ordered: manifest.isOrdered,
        counts: printCounts(manifest.counts),
        columns: [...manifest.columns].map(([name, facts]) => ({ name, facts })),
        files: printFiles(manifest),
        edit: printEdit(manifest.edit),
        forgets: manifest.forgets,
      };
    },
  );
  app.get<{ Querystring: FileQuery & { records: number } }>(
    "/files/preview",
    {
      schema: {
        tags,
        summary: "The beginning of a landed file: its first records, or what a raw file begins with.",
        querystring: {
          ...fileQuery,
          properties: {
            ...fileQuery.properties,
            records: { type: "integer", minimum: 1, maximum: 500, default: 50 },
          },
        },
        response: answers(
          record({
            file: fileAnswer,
            form: { enum: ["records", "text", "binary"] },
            records: { ...listOf(text), description: "Lines as they were landed; long ones are cut." },
            text: {
              ...orNull(text),
              description: "Of a raw file: its text, or its first bytes as hexadecimal.",
            },
            is_cut: { ...flag, description: "The file goes on." },
          }),
        ),
      },
    },
    async ({ query }) => {
      const manifest = await readNamed(ports, query);
      const file = findFile(manifest, query.key);
      const shown = await previewFile(store, file, query.records);
      return { file: printFile(manifest, file), ...shown };
    },
  );
  app.get<{ Querystring: FileQuery }>(
    "/files/check",
    {
      schema: {
        tags,
        summary: "Read a landed file to its end, and compare it with the size and checksum of its manifest.",
        querystring: fileQuery,
        response: answers(record({ is_right: flag, problem: orNull(text) })),
      },
    },
    async ({ query }) => {
      const { entry } = findFile(await readNamed(ports, query), query.key);
      try {
        for await (const _ of readChecked(store, entry)) {
          // Only to its end: what is compared is in the reader.
        }
        return { is_right: true, problem: null };
      } catch (error) {
        const isFinding =
          isLeatError(error) && (error.code === "PART_CORRUPT" || error.code === "PART_MISSING");
        if (!isFinding) throw error;
        return { is_right: false, problem: error.message };
      }
    },
  );
  app.get<{ Querystring: FileQuery }>(
    "/files/content",
    {
      schema: {
        tags,
        summary: "A landed file's bytes, as they are stored.",
        querystring: fileQuery,
      },
    },
    async ({ query }, reply) => {
      const { entry } = findFile(await readNamed(ports, query), query.key);
      const chunks = await store.readStream(entry.key);
      if (chunks === undefined)
        throw new LeatError("PART_MISSING", {
          message: `The landed file ${entry.key} is not in ${store.url}.`,
        });
      return reply
        .headers({
          "content-type": "application/octet-stream",
          "content-length": entry.bytes,
          "content-disposition": `attachment; filename="${nameOf(entry.key)}"`, // Of a key: no quotes in it.
          "x-content-type-options": "nosniff",
        })
        .send(Readable.from(chunks));
    },
  );
}

function placeOf(
  { project }: ControlPorts,
  named: Readonly<{ stream: string; tenant: string }>,
): StreamPlace {
  const { source, spec } = chooseStream(project, named.stream);
  return { source: source.name, stream: spec.name, tenant: toTenantId(named.tenant) };
}

async function readNamed(
  ports: ControlPorts,
  named: Readonly<{ stream: string; tenant: string; seq: number }>,
): Promise<Manifest> {
  const found = await readManifest(ports.store, placeOf(ports, named), named.seq);
  if (found !== undefined) return found.manifest;
  throw new LeatError("PACKAGE_UNKNOWN", {
    message: `${named.stream} (tenant ${named.tenant}) has no package ${named.seq}.`,
  });
}

const filesOf = (manifest: Manifest): readonly LandedFile[] => [
  ...manifest.parts.map((entry) => ({ kind: "part", entry }) as const),
  ...(manifest.files ?? []).map((entry) => ({ kind: "raw", entry }) as const),
  ...manifest.quarantine.map((entry) => ({ kind: "quarantine", entry }) as const),
];

/** Only what the manifest names is read: a key of a request leads nowhere else in the landing. */
function findFile(manifest: Manifest, key: string): LandedFile {
  const file = filesOf(manifest).find(({ entry }) => entry.key === key);
  if (file !== undefined) return file;
  throw new LeatError("PACKAGE_UNKNOWN", {
    message: `Package ${manifest.seq} of ${manifest.source}.${manifest.stream} (tenant ${manifest.tenant}) has no file of this key.`,
  });
}

const nameOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1);

const printFiles = (manifest: Manifest): readonly unknown[] =>
  filesOf(manifest)
    .slice(0, filesMax)
    .map((file) => printFile(manifest, file));

function printFile(manifest: Manifest, { kind, entry }: LandedFile): unknown {
  return {
    key: entry.key,
    name: nameOf(entry.key),
    kind,
    bytes: entry.bytes,
    plain_bytes: "plainBytes" in entry ? entry.plainBytes : null,
    records: "records" in entry ? entry.records : null,
    crc32c: entry.crc32c,
    sha256: "sha256" in entry ? entry.sha256 : null,
    seq: manifest.seq,
    run: manifest.runId,
    committed_at: manifest.committedAt,
  };
}
