/** One stream of one tenant: where it stands, who has set it there, and how it is set back. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { isSync } from "../../flow/ready-made.ts";
import { printRunJson } from "../../flow/run-json.ts";
import { type Head, readHead } from "../../landing/log.ts";
import type { CursorValue } from "../../model/cursor.ts";
import { type StreamPlace, toTenantId } from "../../model/ids.ts";
import type { FlowRun } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import type { StreamSpec } from "../../model/stream.ts";
import { chooseStream, streamName } from "../../sync/choose.ts";
import { readCursor } from "../../sync/choose-mode.ts";
import { choosePair, type PairWork } from "../../sync/choose-pairs.ts";
import { printState } from "../../sync/print-item.ts";
import { refuseFuture } from "../../sync/refuse-future.ts";
import type { ChosenStream } from "../../sync/sync-job.ts";
import { actorOf } from "../access/access.ts";
import { answers, count, flag, instant, listOf, orNull, record, ref, text, texts } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { printEdit } from "./data-routes.ts";
import { printStanding, streamStanding } from "./home-routes.ts";
import { tenantParams } from "./request-schemas.ts";
import { readStreamStandings } from "./stream-status.ts";

type Of = { Params: { id: string; tenant: string } };

/** Runs of a stream and tenant that are told with it. */
const runsTold = 20;

const editAnswer = orNull(record({ who: text, at: instant, why: text, landed_before: text }));

const tenantAnswer = record({
  stream: text,
  source: text,
  name: text,
  tenant: text,
  is_known: {
    ...flag,
    description: "Whether the stream is read for the tenant; one for whom it was has its log all the same.",
  },
  standing: orNull(streamStanding),
  place: orNull(ref("Place")),
  seq: { ...count, description: "Newest package; 0: none. Also the ETag." },
  committed_at: orNull(instant),
  lag_ms: orNull(count),
  freshness_ms: orNull(count),
  is_ordered: flag,
  generation: count,
  partitions: count,
  files: orNull(count),
  last_edit: editAnswer,
  cursor: orNull(record({ field: text, format: text, zone: text, initial: orNull(text) })),
  primary_key: texts,
  write_disposition: text,
  landing_table: text,
  can_edit: flag,
  runs: listOf(ref("Run")),
});

const setBody = {
  type: "object",
  additionalProperties: false,
  required: ["to", "confirm"],
  properties: {
    to: {
      type: ["string", "null"],
      maxLength: 100,
      description:
        "Where the next range begins, such as 2026-01-31; null: from the beginning, as if never read.",
    },
    why: { type: "string", maxLength: 1000, default: "", description: "For the log." },
    landed_before: {
      enum: ["missing", "again"],
      default: "missing",
      description:
        "What becomes of records landed before: fetched again, and dropped where equal to what is landed (missing), or landed a second time (again).",
    },
    confirm: { type: "string", maxLength: 500, description: "The stream's name, as source.stream." },
  },
} as const;

type SetBody = { to: string | null; why: string; landed_before: "missing" | "again"; confirm: string };

export function addTenantRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { project, store, clock, random, ledger } = ports;
  const tags = ["data"];
  app.get<Of>(
    "/streams/:id/tenants/:tenant",
    {
      schema: {
        tags,
        summary: "Where a stream stands for one tenant, how it is read, and its newest runs.",
        description: "Its ETag is what a change of the cursor must bring as If-Match.",
        params: tenantParams,
        response: answers(tenantAnswer),
      },
    },
    async ({ params }, reply) => {
      const chosen = chooseStream(project, params.id);
      const place = placeOf(chosen, params.tenant);
      const [head, runs, standings] = await Promise.all([
        readHead(store, place),
        listOwnRuns(ports, chosen, params.tenant),
        readStreamStandings(ports),
      ]);
      setTag(reply, head);
      const standing = standings.find(
        (one) => one.stream === streamName(chosen) && one.tenant === params.tenant,
      );
      if (head === undefined && standing === undefined) {
        choosePair(pairWork(ports), streamName(chosen), params.tenant); // Says which there are.
      }
      return {
        ...describeSpec(chosen),
        tenant: params.tenant,
        is_known: standing !== undefined,
        standing: standing === undefined ? null : printStanding(standing),
        ...describeHead(ports, chosen, head),
        can_edit: !runs.some(isLive) && standing !== undefined,
        runs: runs.map(printRunJson),
      };
    },
  );
  app.put<Of & { Body: SetBody }>(
    "/streams/:id/tenants/:tenant/cursor",
    {
      schema: {
        tags,
        summary: "Set where the next range of a stream and tenant begins, as `leat state set` does.",
        description:
          "Appends an entry to the landing's log, with who, when and why; none is changed. Refused while a run reads the stream (409), and where If-Match is not the newest ETag (412).",
        params: tenantParams,
        headers: { type: "object", properties: { "if-match": { type: "string", maxLength: 100 } } },
        body: setBody,
        response: answers(
          record({ seq: count, before: ref("Place"), after: ref("Place"), edit: editAnswer }),
        ),
      },
    },
    async (request, reply) => {
      const { to: asked, why, landed_before: landedBefore, confirm } = request.body;
      const chosen = chooseStream(project, request.params.id);
      const { spec, tenant } = choosePair(pairWork(ports), streamName(chosen), request.params.tenant);
      const seenSeq = readTag(request.headers["if-match"]);
      refuseUnconfirmed(chosen, confirm);
      const to = asked === null ? undefined : readAsked(spec, asked, clock.nowMs());
      const live = (await listOwnRuns(ports, chosen, request.params.tenant)).find(isLive);
      if (live !== undefined) {
        throw new LeatError("STREAM_RUNS", {
          message: `${streamName(chosen)} (tenant ${request.params.tenant}) is being read by the run ${live.id}.`,
          details: { run: live.id },
        });
      }
      const [{ editState }, { openScanner }] = await Promise.all([
        import("../../extract/edit-state.ts"),
        import("../../scan/open-scanner.ts"),
      ]);
      const manifest = await editState(
        { store, clock, random, openScanner },
        { spec, tenant: tenant.id, tenantColumn: project.tenantColumn },
        { to, landedBefore, who: actorOf(request), why, seenSeq },
      );
      const before = printState(spec, manifest.before);
      const after = printState(spec, manifest.state.main);
      await ledger.appendEvent({
        kind: "stream.cursor",
        subject: streamName(chosen),
        runId: null,
        data: { tenant: request.params.tenant, seq: manifest.seq, by: actorOf(request), why, before, after },
        dedupKey: null,
      });
      reply.header("etag", `"${manifest.seq}"`);
      return { seq: manifest.seq, before, after, edit: printEdit(manifest.edit) };
    },
  );
}

const pairWork = ({ project, readTenants }: ControlPorts): PairWork => ({ project, tenants: readTenants() });

/** The value asked for; one that cannot be taken is told as a fault of its field. */
function readAsked(spec: StreamSpec, asked: string, nowMs: number): CursorValue {
  try {
    const to = readCursor(spec, asked, "to");
    refuseFuture(spec, to, { nowMs, option: "to" });
    return to;
  } catch (error) {
    if (!isLeatError(error) || error.code !== "CURSOR_INVALID") throw error;
    const { message, hint } = error;
    throw new LeatError("PARAMS_INVALID", {
      message,
      hint,
      details: { faults: [{ path: "to", problem: message }] },
    });
  }
}

const placeOf = ({ source, spec }: ChosenStream, tenant: string): StreamPlace => ({
  source: source.name,
  stream: spec.name,
  tenant: toTenantId(tenant),
});

const isLive = (run: FlowRun): boolean => liveRunStates.includes(run.state);

/** Runs that read the stream for the tenant: sub-flows of syncs, known by the key that they hold. */
async function listOwnRuns(
  { registry, ledger }: ControlPorts,
  chosen: ChosenStream,
  tenant: string,
): Promise<readonly FlowRun[]> {
  const found = await Promise.all(
    registry.flows.filter(isSync).map(({ name }) =>
      ledger.listRuns({
        keyLimit: `${name}:${streamName(chosen)}:${tenant}`,
        isAnyDepth: true,
        limit: runsTold,
      }),
    ),
  );
  return found
    .flat()
    .sort((one, other) => other.createdAtMs - one.createdAtMs)
    .slice(0, runsTold);
}

const setTag = (reply: FastifyReply, head: Head | undefined): void =>
  void reply.header("etag", `"${head?.manifest.seq ?? 0}"`);

function readTag(header: string | undefined): number {
  if (header === undefined) {
    throw new LeatError("CURSOR_UNSEEN", { message: "The request has no If-Match; nothing was changed." });
  }
  const seq = /^(?:W\/)?"(\d{1,15})"$/.exec(header)?.[1];
  if (seq !== undefined) return Number(seq);
  throw new LeatError("CURSOR_UNSEEN", {
    message: "If-Match is not the ETag of a stream's state; nothing was changed.",
  });
}

function refuseUnconfirmed(chosen: ChosenStream, confirm: string): void {
  if (confirm === streamName(chosen) || confirm === chosen.spec.name) return;
  const fault = { path: "confirm", problem: `is not the stream's name, ${streamName(chosen)}` };
  throw new LeatError("PARAMS_INVALID", {
    message: `confirm ${fault.problem}; nothing was changed.`,
    hint: "Type the name of the stream whose cursor is set.",
    details: { faults: [fault] },
  });
}

function describeSpec({ source, spec }: ChosenStream): object {
  const { cursor } = spec;
  return {
    stream: `${source.name}.${spec.name}`,
    source: source.name,
    name: spec.name,
    cursor:
      cursor === undefined
        ? null
        : {
            field: cursor.field,
            format: cursor.format,
            zone: cursor.zone,
            initial: printState(spec, {
              cursor: cursor.initial,
              scannedTo: undefined,
              next: undefined,
              since: undefined,
            })["cursor"],
          },
    primary_key: spec.primaryKey,
    write_disposition: spec.writeDisposition,
    landing_table: spec.landingTable,
  };
}

function describeHead({ ledger }: ControlPorts, { spec }: ChosenStream, head: Head | undefined): object {
  const manifest = head?.manifest;
  const place = manifest === undefined ? undefined : printState(spec, manifest.state.main);
  const cursorMs = typeof place?.["cursor"] === "string" ? Date.parse(place["cursor"]) : Number.NaN;
  const ageOf = (ms: number): number | null =>
    Number.isNaN(ms) ? null : Math.max(0, Math.round(ledger.nowMs() - ms));
  return {
    place: place ?? null,
    seq: manifest?.seq ?? 0,
    committed_at: manifest?.committedAt ?? null,
    lag_ms: ageOf(cursorMs),
    freshness_ms: manifest === undefined ? null : ageOf(Date.parse(manifest.committedAt)),
    is_ordered: manifest?.isOrdered ?? true,
    generation: manifest?.visible.number ?? 0,
    partitions: manifest?.state.partitionCount ?? 0,
    files: manifest?.state.fileCount ?? null,
    last_edit: printEdit(manifest?.edit),
  };
}
