/** What must be true when the world has been left in peace: nothing lost, nothing doubled, nothing left to do. */
import { isDeepStrictEqual } from "node:util";
import type { ExtractMode } from "../../src/extract/extract-job.ts";
import { createMemoryWarehouse, type MemoryRow, type PartnerRecord } from "../../src/testing/index.ts";
import { checkLog } from "./check-log.ts";
import type { ScriptedTenant } from "./partner-script.ts";
import { readLog, type TenantLog } from "./read-log.ts";
import { withTrace } from "./schedule.ts";
import type { Simulation } from "./simulation.ts";
import { hold } from "./violation.ts";

/** Holds a played schedule to every invariant; throws the first violation with seed and trace. */
export async function checkOutcome(simulation: Simulation): Promise<void> {
  try {
    for (const tenant of simulation.tenants) {
      const log = readLog(simulation, tenant.id);
      checkLog(simulation, tenant.id, log);
      checkNothingLost(simulation, tenant, log);
      checkNothingDoubled(simulation, tenant, log);
      checkLoaded(simulation, tenant, log);
      checkCurrent(simulation, tenant);
    }
    await checkGarbage(simulation);
    await checkRebuild(simulation);
    await checkIdle(simulation);
  } catch (error) {
    throw withTrace(error, simulation);
  }
}

/** Whether the partner has shown this record, which can be a row, to whoever asked as the protocol says. */
const isOwed = (simulation: Simulation, record: PartnerRecord): boolean =>
  !isBroken(record) && isShown(simulation, record);

function isShown(simulation: Simulation, record: PartnerRecord): boolean {
  const { spec, api } = simulation.scenario;
  const range = spec.cursor?.range;
  if (spec.cursor === undefined || range === undefined || spec.writeDisposition === "replace") return true;
  if (record.cursor === undefined) return api.showsMissing;
  if (record.cursor < spec.cursor.minimum) return false;
  if (spec.cursor.initial !== undefined && record.cursor < spec.cursor.initial) return false;
  const isFuture = spec.cursor.format !== "integer" && record.cursor > BigInt(simulation.nowMs()) * 1000n;
  return !isFuture || !range.hasEnd;
}

/** Whether the record cannot be a row. */
const isBroken = (record: PartnerRecord): boolean => record.text.startsWith('{"broken"');

/** The record's own bytes behind leat's columns. */
const holds = (row: { text: string }, record: PartnerRecord): boolean =>
  row.text.endsWith(`,${record.text.slice(1)}`);

const ownBytes = (text: string): string => `{${text.slice(text.search(/"(id|event)":/))}`;

/** I4, I5, I6, I16: of each record the newest version is landed, and is the one landed last; of events each one. */
function checkNothingLost(simulation: Simulation, tenant: ScriptedTenant, log: TenantLog): void {
  const { spec } = simulation.scenario;
  const owed = tenant.partner.visible().filter((record) => isOwed(simulation, record));
  if (spec.primaryKey.length === 0) {
    for (const [text, group] of Map.groupBy(owed, (record) => record.partition + record.text)) {
      const landed = log.visibleRows.filter((row) => holds(row, group[0]!)).length; // A group has a record.
      hold(
        landed >= group.length,
        "I4",
        () => `${tenant.id}: ${group.length} times ${text}, landed ${landed} times`,
      );
    }
    return;
  }
  for (const record of owed) {
    const rows = log.visibleRows.filter((row) => row.fields["id"] === record.id);
    const last = rows.at(-1);
    hold(last !== undefined, "I4", () => `${tenant.id}: ${record.text} was never landed`);
    hold(
      holds(last, record),
      "I4",
      () => `${tenant.id}: the newest is ${record.text}; landed last is ${last.text}`,
    );
  }
}

/** I5: no version is landed twice, unless a person asked for it again. */
function checkNothingDoubled(simulation: Simulation, tenant: ScriptedTenant, log: TenantLog): void {
  const { spec } = simulation.scenario;
  const again = log.manifests.filter((manifest) => manifest.edit?.landedBefore === "again").length;
  checkQuarantine(simulation, tenant, log);
  const groups = Map.groupBy(log.visibleRows, (row) => ownBytes(row.text));
  for (const [text, rows] of groups) {
    let shown = 1;
    if (spec.primaryKey.length === 0)
      shown = tenant.partner.visible().filter((record) => record.text === text).length;
    const seqs = rows.map((row) => row.seq).join(", ");
    hold(
      rows.length <= shown * (1 + again),
      "I5",
      () => `${tenant.id}: ${text} was shown ${shown} times and landed in ${seqs}`,
    );
  }
}

/** I5, I10: what cannot be a row is in quarantine, once while nobody asks for it again. */
function checkQuarantine(simulation: Simulation, tenant: ScriptedTenant, log: TenantLog): void {
  const isAsked = log.manifests.some(({ edit, generation }) => edit !== undefined || generation.number > 0);
  const lines = log.manifests.flatMap(({ quarantine }) =>
    quarantine.flatMap(({ key, records }) => {
      const text = Buffer.from(simulation.objects.get(key)?.body ?? []).toString("utf8");
      const found = text.split("\n").slice(0, -1);
      hold(found.length === records, "I10", () => `${key} has ${found.length} lines, not ${records}`);
      return found.map((line) => /broken\W+(\d+)/.exec(line)?.[1] ?? line);
    }),
  );
  for (const [version, group] of Map.groupBy(lines, (line) => line)) {
    hold(
      isAsked || group.length === 1,
      "I5",
      () => `broken record ${version} is ${group.length} times in quarantine`,
    );
  }
  for (const record of tenant.partner.visible()) {
    if (!isBroken(record) || !isShown(simulation, record)) continue;
    const version = /\d+/.exec(record.text)?.[0] ?? "";
    hold(lines.includes(version), "I10", () => `${tenant.id}: ${record.text} is not in quarantine`);
  }
  for (const row of log.rows) hold(!row.text.includes('"broken"'), "I10", () => `${row.text} was landed`);
}

/** I2, I11, I12, I13: the warehouse has the rows of the visible packages, each once, and no others. */
function checkLoaded(simulation: Simulation, tenant: ScriptedTenant, log: TenantLog): void {
  const { spec } = simulation.scenario;
  const rows = simulation.warehouse.rows(spec).filter((row) => row.tenant === tenant.id);
  const expected = log.visibleRows.map((row) => row.text).sort();
  const found = rows.map((row) => row.text).sort();
  hold(
    isDeepStrictEqual(found, expected),
    "I11",
    () => `${tenant.id}: ${describeDifference(found, expected)}`,
  );
  for (const row of rows) {
    hold(
      row.fields["tenant_id"] === tenant.id && row.fields["of"] === owner(row, tenant),
      "I13",
      () => `${tenant.id} has ${row.text}`,
    );
  }
  if (spec.writeDisposition !== "replace") return;
  const shown = tenant.partner
    .visible()
    .filter((record) => !isBroken(record))
    .map((record) => record.text)
    .sort();
  const landed = rows.map((row) => ownBytes(row.text)).sort();
  hold(isDeepStrictEqual(landed, shown), "I12", () => `${tenant.id}: ${describeDifference(landed, shown)}`);
}

function owner(row: MemoryRow, tenant: ScriptedTenant): unknown {
  const of = row.fields["of"];
  return typeof of === "string" &&
    (of === tenant.id || of.startsWith(`${tenant.id}north`) || of.startsWith(`${tenant.id}south`))
    ? of
    : tenant.id;
}

/** I20: per key the newest row, which is the newest version where values only ever went up. */
function checkCurrent(simulation: Simulation, tenant: ScriptedTenant): void {
  const { spec } = simulation.scenario;
  if (spec.primaryKey.length === 0) return;
  const current = simulation.warehouse.currentRows(spec).filter((row) => row.tenant === tenant.id);
  for (const record of tenant.partner.visible()) {
    if (!isOwed(simulation, record) || (spec.currentBy === "cursor" && !tenant.isMonotone(record.id)))
      continue;
    const rows = current.filter((row) => row.fields["id"] === record.id);
    hold(
      rows.length === 1 && holds(rows[0]!, record),
      "I20",
      () => `${tenant.id}: current of ${record.text} is ${rows[0]?.text}`,
    );
  }
}

/** I15: what no manifest names can all be collected, and what one names is never touched. */
async function checkGarbage(simulation: Simulation): Promise<void> {
  for (const tenant of simulation.tenants) {
    await simulation.collect(tenant);
    const { manifests } = readLog(simulation, tenant.id);
    const named = new Set(
      manifests.flatMap(({ parts, quarantine, state }) =>
        [...parts, ...quarantine, ...(state.file ? [state.file] : [])].map(({ key }) => key),
      ),
    );
    for (const key of simulation.objects.keys()) {
      if (!/^(landing|quarantine)\//.test(key) || !key.includes(`/tenant=${tenant.id}/`)) continue;
      hold(named.has(key), "I15", () => `${key} is named by no manifest and was not collected`);
    }
  }
}

/** I14: a new warehouse gets the same rows. */
async function checkRebuild(simulation: Simulation): Promise<void> {
  const { spec } = simulation.scenario;
  const readPart = (path: string): Uint8Array | undefined =>
    simulation.objects.get(path.replace(/^memory:/, ""))?.body;
  const rebuilt = createMemoryWarehouse({ readPart });
  const outcome = await simulation.load(rebuilt);
  for (const one of outcome.tenants)
    hold(one.error === undefined, "I14", () => `${one.tenant}: ${one.error}`);
  const byPlace = async (warehouse: typeof rebuilt): Promise<unknown> =>
    (await warehouse.checksums(spec)).toSorted((a, b) =>
      a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : a.seq - b.seq,
    );
  const [before, after] = [await byPlace(simulation.warehouse), await byPlace(rebuilt)];
  hold(
    isDeepStrictEqual(before, after),
    "I14",
    () => `${JSON.stringify(before)} was rebuilt as ${JSON.stringify(after)}`,
  );
}

/** A run with nothing to do changes nothing, and asks for no more than the span that it must read again. */
async function checkIdle(simulation: Simulation): Promise<void> {
  const { spec, api } = simulation.scenario;
  const mode: ExtractMode = { kind: "incremental" };
  if (spec.writeDisposition !== "replace") {
    for (const tenant of simulation.tenants) {
      const before = [...simulation.objects.keys()].filter((key) => key.startsWith("log/")).length;
      const outcome = await simulation.extract(tenant, mode);
      const after = [...simulation.objects.keys()].filter((key) => key.startsWith("log/")).length;
      hold(
        outcome.status === "unchanged" && before === after,
        "an idle rerun changes nothing",
        () => `${tenant.id}: ${JSON.stringify(outcome, printBigInts)}`,
      );
      const records = tenant.partner.visible().length;
      const passes = spec.stability === "passes" ? 2 : 1;
      // An overlapping page brings one record less than it holds.
      const step = spec.stability === "overlap" ? Math.max(1, api.pageSize - 1) : api.pageSize;
      const pages = Math.ceil((records + 1) / (api.paging === "single" ? records + 1 : step)) + 1;
      const allowed = windowsToRead(simulation) * pages * passes * simulation.scenario.partitions.length;
      hold(
        outcome.requests <= allowed,
        "requests are bounded",
        () => `${tenant.id}: ${outcome.requests} requests, ${allowed} expected at most`,
      );
    }
  }
  const rows = simulation.warehouse.keptRows(spec).length;
  await simulation.load();
  hold(
    simulation.warehouse.keptRows(spec).length === rows,
    "an idle rerun changes nothing",
    () => "a load added rows again",
  );
}

/** Windows between `next` and now: what `lag` and rounding make a run read again. */
function windowsToRead(simulation: Simulation): number {
  const { spec } = simulation.scenario;
  const spanMax = spec.cursor?.range?.spanMax;
  // A range with an end is planned to our clock before the first answer; a source that is ahead has a sliver left to T0.
  if (spec.cursor === undefined || spanMax === undefined) return spec.cursor?.range?.hasEnd === true ? 2 : 1;
  const next = readLog(simulation, simulation.tenants[0]!.id).manifests.at(-1)?.state.main.next;
  const from = next ?? spec.cursor.initial ?? 0n;
  const toUs = BigInt(simulation.nowMs() + spec.bounds.clockToleranceMs) * 1000n;
  const unit = spec.cursor.range?.startFormat === "date" ? 90_000_000_000n : 1_000_000n;
  return Number((toUs - from) / (spanMax - unit > 0n ? spanMax - unit : spanMax)) + 3;
}

const printBigInts = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}` : value;

function describeDifference(found: readonly string[], expected: readonly string[]): string {
  const extra = found.filter((text, index) => !expected.includes(text) || found.indexOf(text) !== index);
  const missing = expected.filter((text) => !found.includes(text));
  return `${found.length} rows where ${expected.length} were expected; extra ${extra.slice(0, 3).join(" ")}; missing ${missing.slice(0, 3).join(" ")}`;
}
