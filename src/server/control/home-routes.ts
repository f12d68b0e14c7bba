/** What is the matter, in one request: the console's first page, its tree of sources, and its search. */
import type { FastifyInstance } from "fastify";
import { printInstant, printRunJson } from "../../flow/run-json.ts";
import { listTicks, readTicks } from "../../flow/ticks.ts";
import { runStates } from "../../model/run-state.ts";
import { allStreams } from "../../sync/choose.ts";
import {
  type AnswerSchema,
  answers,
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
import { readRunDays } from "./run-days.ts";
import { readStreamStandings, type StreamStanding, streamStatuses } from "./stream-status.ts";

/** How far ahead the page looks, ms: a day. */
const aheadMs = 86_400_000;

/** Rows of each list on the page; their number is told as well. */
const rowsShown = 50;

/** Ticks of one schedule and of all within a day: one that fires each minute has 1,440. */
const ticksOfSchedule = 24;
const ticksShown = 100;

export const streamStanding: AnswerSchema = record({
  stream: text,
  source: text,
  name: text,
  tenant: text,
  status: { enum: streamStatuses },
  synced_at: orNull(instant),
  late_at: orNull(instant),
  run: orNull(record({ id: text, state: { enum: runStates } })),
});

const homeAnswer = record({
  now: instant,
  failing: listOf(ref("Run")),
  failing_count: count,
  late: listOf(streamStanding),
  late_count: count,
  late_runs: listOf(ref("Run")),
  running: listOf(ref("Run")),
  running_count: count,
  queued_count: count,
  waiting_count: count,
  next: listOf(record({ at: instant, schedule: text, deployment: text })),
  next_count: count,
  paused: texts,
  days: listOf(
    record({ from: instant, to: instant, states: { type: "object", additionalProperties: count } }),
  ),
  has_workers: flag,
});

const treeAnswer = record({
  statuses: { type: "object", additionalProperties: count },
  sources: listOf(
    record({
      name: text,
      has_files: flag,
      statuses: { type: "object", additionalProperties: count },
      tenants: listOf(record({ tenant: text, streams: listOf(streamStanding) })),
    }),
  ),
});

export const printStanding = (one: StreamStanding): unknown => ({
  stream: one.stream,
  source: one.source,
  name: one.name,
  tenant: one.tenant,
  status: one.status,
  synced_at: printInstant(one.syncedAtMs),
  late_at: printInstant(one.lateAtMs),
  run: one.run,
});

export function addHomeRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger, project } = ports;
  const tags = ["home"];
  app.get<{ Querystring: { time_zone: string } }>(
    "/home",
    {
      schema: {
        tags,
        summary: "What fails, is late, runs and comes next, and the runs of fourteen days.",
        querystring: {
          type: "object",
          properties: {
            time_zone: {
              type: "string",
              maxLength: 100,
              default: "UTC",
              description: "IANA name such as Europe/London: days begin at midnight there.",
            },
          },
        },
        response: answers(homeAnswer),
      },
    },
    async ({ query }) => {
      const nowMs = ledger.nowMs();
      const [failing, running, queued, counts, days, schedules, standings, workers] = await Promise.all([
        ledger.listFailing(),
        ledger.listRuns({ states: ["running", "cancelling"], limit: rowsShown }),
        ledger.listRuns({ states: ["queued", "waiting"], limit: rowsShown }),
        ledger.countRuns(),
        readRunDays(ledger, nowMs, query.time_zone),
        ledger.listSchedules(),
        readStreamStandings(ports),
        ledger.listWorkers(),
      ]);
      const late = standings.filter(({ status }) => status === "late");
      const countOf = (...states: readonly string[]): number =>
        counts.filter((one) => states.includes(one.state)).reduce((sum, one) => sum + one.count, 0);
      const span = { fromMs: nowMs, untilMs: nowMs + aheadMs };
      const next = schedules
        .filter(({ isPaused }) => !isPaused)
        .flatMap(({ id, deployment, ticks }) =>
          listTicks(readTicks(ticks), span, ticksOfSchedule).map((atMs) => ({ atMs, id, deployment })),
        )
        .sort((one, other) => one.atMs - other.atMs);
      return {
        now: printInstant(nowMs),
        failing: failing.slice(0, rowsShown).map(printRunJson),
        failing_count: failing.length,
        late: late.slice(0, rowsShown).map(printStanding),
        late_count: late.length,
        late_runs: [...running, ...queued].filter(({ isLate }) => isLate).map(printRunJson),
        running: running.map(printRunJson),
        running_count: countOf("running", "cancelling"),
        queued_count: countOf("queued"),
        waiting_count: countOf("waiting"),
        next: next
          .slice(0, ticksShown)
          .map(({ atMs, id, deployment }) => ({ at: printInstant(atMs), schedule: id, deployment })),
        next_count: next.length,
        paused: schedules.filter(({ isPaused }) => isPaused).map(({ id }) => id),
        days: days.map(({ fromMs, toMs, states }) => ({
          from: printInstant(fromMs),
          to: printInstant(toMs),
          states,
        })),
        has_workers: workers.some(
          ({ kind, seenAtMs, leaseMs }) => kind === "worker" && nowMs - seenAtMs <= leaseMs,
        ),
      };
    },
  );
  app.get<{ Querystring: { tenant?: string; source?: string } }>(
    "/tree",
    {
      schema: {
        tags,
        summary: "Sources, their tenants and streams, each with the word for how it stands.",
        description:
          "syncing: a run reads it; queued: one is about to; late: it should have been read; on_time: its newest run was good; on_track: its newest run failed, and it is not late yet; never: no run has read it.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { tenant: { type: "string" }, source: { type: "string" } },
        },
        response: answers(treeAnswer),
      },
    },
    async ({ query }) => {
      const all = (await readStreamStandings(ports)).filter(
        ({ tenant, source }) => tenant === (query.tenant ?? tenant) && source === (query.source ?? source),
      );
      const bySource = Map.groupBy(all, ({ source }) => source);
      return {
        statuses: countStatuses(all),
        sources: project.sources
          .filter(({ name }) => name === (query.source ?? name))
          .map((source) => {
            const own = bySource.get(source.name) ?? [];
            return {
              name: source.name,
              has_files: source.openFiles !== undefined,
              statuses: countStatuses(own),
              tenants: [...Map.groupBy(own, ({ tenant }) => tenant)].map(([tenant, streams]) => ({
                tenant,
                streams: streams.map(printStanding),
              })),
            };
          }),
      };
    },
  );
  addSearch(app, ports);

  function countStatuses(standings: readonly StreamStanding[]): Readonly<Record<string, number>> {
    const groups = Map.groupBy(standings, ({ status }) => status);
    return Object.fromEntries(streamStatuses.map((status) => [status, groups.get(status)?.length ?? 0]));
  }
}

/** Finds of one kind at most: a person reads them. */
const findsOfKind = 8;

const finds = ["flow", "deployment", "schedule", "source", "stream", "tenant", "dataset", "run"] as const;
type Find = Readonly<{ kind: (typeof finds)[number]; name: string; about: string; of: string | null }>;

function addSearch(app: FastifyInstance, { project, registry, ledger, readTenants }: ControlPorts): void {
  app.get<{ Querystring: { q: string } }>(
    "/search",
    {
      schema: {
        tags: ["home"],
        summary: "Finds flows, deployments, schedules, sources, streams, tenants, datasets and runs by name.",
        description:
          "Names that begin with the text come first, then those that hold it. Runs by the beginning of their id.",
        querystring: {
          type: "object",
          required: ["q"],
          properties: { q: { type: "string", minLength: 1, maxLength: 200 } },
        },
        response: answers(
          record({
            finds: listOf(record({ kind: { enum: finds }, name: text, about: text, of: orNull(text) })),
          }),
        ),
      },
    },
    async ({ query }) => {
      const wanted = query.q.trim().toLocaleLowerCase();
      const schedules = await ledger.listSchedules();
      const known: readonly Find[] = [
        ...registry.flows.map((one) => find("flow", one.name, one.description)),
        ...registry.deployments
          .filter((one) => one.name !== one.flow.name)
          .map((one) => find("deployment", one.name, one.description, one.flow.name)),
        ...schedules.map((one) => find("schedule", one.id, "", one.deployment)),
        ...project.sources.map((one) => find("source", one.name, "")),
        ...allStreams(project).map(({ source, spec }) => find("stream", spec.name, "", source.name)),
        ...readTenants().map((one) => find("tenant", one.id, "")),
        ...project.datasets.map((one) => find("dataset", one.name, one.description)),
      ];
      const runs = await ledger.findRuns(wanted);
      const found = known
        .map((one) => ({ one, rank: rankOf(one, wanted) }))
        .filter(({ rank }) => rank < missed)
        .sort((one, other) => one.rank - other.rank);
      const shown = finds.flatMap((kind) =>
        found.filter(({ one }) => one.kind === kind).slice(0, findsOfKind),
      );
      return {
        finds: [
          ...runs.map((run) => find("run", run.id, run.state, run.deployment)),
          ...shown.sort((one, other) => one.rank - other.rank).map(({ one }) => one),
        ],
      };
    },
  );
}

const find = (kind: Find["kind"], name: string, about: string, of: string | null = null): Find => ({
  kind,
  name,
  about,
  of,
});

/** Rank of what does not match. */
const missed = 4;

/** 0: the name itself; 1: its beginning; 2: within it; 3: within `source.stream`. */
function rankOf({ name, of }: Find, wanted: string): number {
  const own = name.toLocaleLowerCase();
  if (own === wanted) return 0;
  if (own.startsWith(wanted)) return 1;
  if (own.includes(wanted)) return 2;
  return of !== null && `${of}.${own}`.toLocaleLowerCase().includes(wanted) ? 3 : missed;
}
