/** How streams stand for their tenants, in one word each: from what the ledger knows of runs, without a look at the landing. */
import { isLeatError } from "../../errors/leat-error.ts";
import { isSync, listWorkSchedules } from "../../flow/ready-made.ts";
import { readTicks } from "../../flow/ticks.ts";
import type { TenantId } from "../../model/ids.ts";
import type { RunState } from "../../model/run-state.ts";
import type { KeyStanding } from "../../ports/ledger.ts";
import { streamName } from "../../sync/choose.ts";
import { choosePairs, type PairChoice, type PairWork } from "../../sync/choose-pairs.ts";
import type { ChosenStream } from "../../sync/sync-job.ts";
import type { ControlPorts } from "./control-ports.ts";

/**
 * - `syncing`: a run reads it. `queued`: one is about to.
 * - `late`: it should have been read, and was not, or in vain.
 * - `on_time`: the newest run was good. `on_track`: the newest failed, and it is not late yet.
 * - `never`: no run has read it.
 */
export const streamStatuses = ["syncing", "queued", "late", "on_time", "on_track", "never"] as const;
export type StreamStatus = (typeof streamStatuses)[number];

/** A stream for one tenant. Instants are ms since the epoch. */
export type StreamStanding = Readonly<{
  stream: string;
  source: string;
  name: string;
  tenant: TenantId;
  status: StreamStatus;
  /** When a run of it was good last. */
  syncedAtMs: number | null;
  /** When it is late, or became so; `null`: nobody expects it. */
  lateAtMs: number | null;
  /** Its newest run, and how that stands. */
  run: Readonly<{ id: string; state: RunState }> | null;
}>;

/** After its tick, a sync may take this long before it is late, ms: the longest that a partner's bad hour is retried. */
const patienceMs = 3_600_000;

/** Streams and tenants that are told; what a project of a hundred streams and a thousand tenants has. */
export const standingsMax = 100_000;

/** Every stream for every tenant, in the project's order. */
export async function readStreamStandings(ports: ControlPorts): Promise<readonly StreamStanding[]> {
  const { project, ledger, registry, readTenants } = ports;
  const standings = await ledger.listKeyStandings();
  const byKey = new Map(standings.map((one) => [one.key, one]));
  const nowMs = ledger.nowMs();
  const expectations = listExpectations(ports);
  const flows = registry.flows.filter(isSync).map(({ name }) => name);
  return choosePairs({ project, tenants: readTenants() })
    .flatMap((chosen) =>
      chosen.tenants.map(({ id: tenant }) => {
        const keys = flows.map((flow) => `${flow}:${streamName(chosen)}:${tenant}`);
        const own = keys.flatMap((key) => byKey.get(key) ?? []);
        const expected = expectations.filter((one) => one.covers(chosen, tenant));
        return judge({ chosen, tenant, own, expected, nowMs });
      }),
    )
    .slice(0, standingsMax);
}

/** A schedule that reads some streams for some tenants. */
type Expectation = Readonly<{
  /** First tick after an instant. */
  nextAfter: (ms: number) => number | undefined;
  covers: (chosen: ChosenStream, tenant: string) => boolean;
}>;

function listExpectations({ registry, project, readTenants }: ControlPorts): readonly Expectation[] {
  const work = { project, tenants: readTenants() };
  return listWorkSchedules(registry.deployments)
    .filter(({ kind }) => kind === "sync")
    .map(({ ticks, names, tenants }) => {
      const read = listRead(work, { streams: names, tenants });
      return {
        nextAfter: remembered(readTicks(ticks).next),
        covers: (chosen, tenant) => read.get(streamName(chosen))?.has(tenant) ?? false,
      };
    });
}

/** Tenants by stream. A schedule that names what there is not reads nothing: its own run tells why. */
function listRead(work: PairWork, choice: PairChoice): ReadonlyMap<string, ReadonlySet<string>> {
  try {
    return new Map(
      choosePairs(work, choice).map((pair) => [streamName(pair), new Set(pair.tenants.map(({ id }) => id))]),
    );
  } catch (error) {
    if (!isLeatError(error)) throw error;
    return new Map();
  }
}

/** To find a tick takes some dozens of microseconds, and of ten thousand streams most ask within the same minutes. */
function remembered(next: (ms: number) => number | undefined): Expectation["nextAfter"] {
  const known = new Map<number, number | undefined>();
  return (ms) => {
    const minute = Math.floor(ms / 60_000);
    if (!known.has(minute)) known.set(minute, next(minute * 60_000));
    const tick = known.get(minute);
    return tick !== undefined && tick <= ms ? next(ms) : tick; // Ticks may be seconds apart.
  };
}

function judge(facts: {
  chosen: ChosenStream;
  tenant: TenantId;
  own: readonly KeyStanding[];
  expected: readonly Expectation[];
  nowMs: number;
}): StreamStanding {
  const { chosen, tenant, own, expected, nowMs } = facts;
  const newest = own.toSorted((one, other) => other.createdAtMs - one.createdAtMs)[0];
  const good = own.flatMap(({ succeededAtMs }) => (succeededAtMs === null ? [] : [succeededAtMs]));
  const syncedAtMs = good.length === 0 ? null : Math.max(...good);
  // Of what nobody has read yet, the first tick is not known: it is late a tick and the patience after its first failure.
  const sinceMs = syncedAtMs ?? newest?.createdAtMs;
  const due = expected.flatMap(({ nextAfter }) => (sinceMs === undefined ? [] : (nextAfter(sinceMs) ?? [])));
  const lateAtMs = due.length === 0 ? null : Math.min(...due) + patienceMs;
  return {
    stream: streamName(chosen),
    source: chosen.source.name,
    name: chosen.spec.name,
    tenant,
    status: statusOf(newest?.state, lateAtMs !== null && nowMs > lateAtMs),
    syncedAtMs,
    lateAtMs,
    run: newest === undefined ? null : { id: newest.runId, state: newest.state },
  };
}

function statusOf(state: RunState | undefined, isLate: boolean): StreamStatus {
  switch (state) {
    case "running":
    case "cancelling":
      return "syncing";
    case "queued":
    case "waiting":
      return "queued";
    case undefined:
      return "never";
    case "succeeded":
    case "skipped":
      return isLate ? "late" : "on_time";
    case "failed":
    case "cancelled":
      return isLate ? "late" : "on_track";
  }
}
