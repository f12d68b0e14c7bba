/** `npm run demo`: the whole story on this machine, every number counted while it happens. */
import { join, relative } from "node:path";
import type { Comparison } from "./compare-with-truth.ts";
import { layTable } from "./lay-table.ts";
import { type Example, openExample, type SyncedStream } from "./open-example.ts";
import { nameAs, renderScalar } from "./partner/plant.ts";
import { killRunning } from "./run-leat.ts";

const dataFolder = join(import.meta.dirname, ".leat");
const main = "metrc_plants";
const startedMs = performance.now();

const say = (...lines: readonly string[]) => {
  for (const line of lines) console.log(line === "" ? "" : `  ${line}`);
};
const step = (title: string) => console.log(`\n${title}`);
const count = (n: number) => n.toLocaleString("en-US");

/** Something that the demo promises has not come true. */
class DemoFailed extends Error {}

async function demo(example: Example): Promise<void> {
  const { partner, tenants } = example;
  console.log("leat: three customers of one partner, synced exactly once");

  step("1  The partner, simulated on this machine");
  say(
    `listening at ${partner.url}; 14 days of changes, at most a day in one request`,
    ...layTable(
      ["customer", "plants"],
      tenants.map((tenant) => [tenant, partner.truth(tenant).size]),
    ),
  );

  step("2  leat sync: everything, for the first time");
  const first = await syncAndTell(example);

  step("3  The partner changes some plants; leat sync fetches only those");
  const seen = [
    ...partner.change({ count: 45 }),
    ...partner.change({ count: 6, isNew: true }),
    ...partner.change({ count: 5, backdateMs: 60_000 }),
  ];
  const late = partner.change({ count: 9, lateMs: 90_000 });
  const distinct = new Set(seen.map(({ label }) => label));
  say(
    `${count(distinct.size)} plants changed or new, some with times out of order; ${late.length} more will show only in 90 s`,
  );
  partner.faults.inject({ kind: "status", status: 429, retryAfter: "1", times: 2 });
  partner.faults.inject({ kind: "status", status: 500, after: 3 });
  partner.faults.inject({ kind: "break", endpoint: "v1/all", after: 2 });
  partner.advance(5000);
  const second = await syncAndTell(example);
  say(
    `${main}: ${count(first.fetched)} plants in ${count(first.requests)} requests the first time, ` +
      `${count(second.fetched)} in ${count(second.requests)} now`,
  );

  step("4  leat sync, killed in the middle");
  const many = partner.change({ count: 500 });
  partner.advance(120_000);
  say(`${count(many.length)} plants changed; two minutes go by`);
  await killInTheMiddle(example, 12);
  say("and once more, to the end:");
  await syncAndTell(example);

  step("5  The current view beside the partner's own book");
  await compareAndTell(example);

  step("6  Where to look next");
  const here = relative(process.cwd(), import.meta.dirname) || ".";
  say(
    `landed files    ${join(here, ".leat/landing/landing")}`,
    `log, the state  ${join(here, ".leat/landing/log")}`,
    `configuration   ${join(here, "leat.config.ts")}`,
    `cd ${here}, then:`,
    `  npx leat query "select tenant_id, state, count(*) from stashstock.${main} group by all order by all"`,
    `  npx leat query "select label, valid_from, valid_to from stashstock.${main}_history order by all limit 10"`,
    "  npx leat state show",
    "  npx leat rebuild      the warehouse again, from the landed files alone",
  );
}

/** Runs a sync and shows what it did, by stream, and how the partner saw it. */
async function syncAndTell(example: Example): Promise<{ fetched: number; requests: number }> {
  const before = example.partner.counts.total();
  const { exitCode, results } = await example.sync();
  const after = example.partner.counts.total();
  const failed = results.find(({ ok }) => !ok);
  if (exitCode !== 0 || failed !== undefined) {
    throw new DemoFailed(`leat sync ended with ${exitCode}: ${failed?.error?.message ?? "no stream failed"}`);
  }
  const sum = (of: readonly SyncedStream[], read: (item: SyncedStream) => number | undefined) =>
    of.reduce((total, item) => total + (read(item) ?? 0), 0);
  const streams = [...new Set(results.map(({ stream }) => stream))];
  const rows = streams.map((stream) => {
    const items = results.filter((item) => item.stream === stream);
    const read = [
      sum(items, ({ requests }) => requests),
      sum(items, ({ counts }) => counts?.received),
      sum(items, ({ counts }) => counts?.boundary_skipped),
      sum(items, ({ counts }) => counts?.landed),
      sum(items, ({ load }) => load?.loaded),
    ];
    return [stream, ...read];
  });
  say(...layTable(["stream", "requests", "fetched", "known already", "landed", "loaded"], rows));
  const refused = after.refused - before.refused;
  const broken = after.broken - before.broken;
  say(
    `the partner counted ${count(after.requests - before.requests)} requests` +
      (refused + broken > 0 ? `: refused ${refused} (429, 500), broke off ${broken}; leat tried again` : ""),
  );
  const [, requests, fetched] = rows.find(([stream]) => stream === main)!;
  return { fetched: Number(fetched), requests: Number(requests) };
}

/** Starts a sync, lets the partner answer some requests and no more, and kills the process. */
async function killInTheMiddle(example: Example, answersMax: number): Promise<void> {
  const { partner } = example;
  const before = partner.counts.total().answered;
  partner.faults.inject({ kind: "stall", after: answersMax, times: Number.MAX_SAFE_INTEGER });
  const killed = example.start("sync", "--quiet");
  const isEarly = await Promise.race([
    partner.counts.reach(({ answered }) => answered >= before + answersMax).then(() => false),
    killed.ended.then(() => true),
  ]);
  if (isEarly) throw new DemoFailed(`leat sync ended by itself: ${(await killed.ended).stderr}`);
  killed.kill("SIGKILL");
  const { signal } = await killed.ended;
  if (signal !== "SIGKILL") throw new DemoFailed(`The process ended with ${signal} instead of SIGKILL.`);
  partner.faults.clear();
  say(`process ${killed.pid} ended by ${signal} after ${partner.counts.total().answered - before} answers`);
}

async function compareAndTell(example: Example): Promise<void> {
  const { partner, tenants } = example;
  partner.advance(partner.msUntilSettled()); // Nothing: the two minutes were longer than any delay.
  const comparisons = new Map<string, Comparison>();
  for (const tenant of tenants) comparisons.set(tenant, await example.compare(tenant));
  const counted = await example.query(
    `select tenant_id, count(*) as "rows" from stashstock.${main} group by tenant_id`,
  );
  say(
    ...layTable(
      ["customer", "plants at the partner", "rows in the view", "equal in every column", "values compared"],
      tenants.map((tenant) => [
        tenant,
        partner.truth(tenant).size,
        Number(counted.find((row) => row["tenant_id"] === tenant)?.["rows"] ?? 0),
        comparisons.get(tenant)!.equal,
        comparisons.get(tenant)!.values,
      ]),
    ),
  );
  await showSomePlants(example);
  const [versions] = await example.query(
    `select count(*) as landed, count(distinct (tenant_id, label, "lastModified")) as versions
     from gcs_metrc_plants`,
  );
  say(
    "",
    `landing table gcs_metrc_plants: ${versions?.["landed"]} rows, ${versions?.["versions"]} distinct versions of plants`,
  );
  const isEqual = [...comparisons.values()].every((comparison) => comparison.isEqual);
  const isOnce = String(versions?.["landed"]) === String(versions?.["versions"]);
  if (isEqual && isOnce) {
    say("EQUAL: nothing lost, nothing doubled, no value changed");
    return;
  }
  for (const [tenant, { missing, surplus, differences }] of comparisons) {
    say(
      `customer ${tenant}: ${missing.length} missing, ${surplus.length} too many, ${differences.length} values differ`,
    );
    say(...differences.slice(0, 3).map((difference) => `  ${JSON.stringify(difference)}`));
  }
  throw new DemoFailed("The view is not equal to the partner's book.");
}

/** A few harvested plants, as the view has them and as the partner would send them. */
async function showSomePlants(example: Example): Promise<void> {
  const rows = await example.query(
    `select tenant_id, label, id, "harvestedWetWeight", "lastModified" from stashstock.${main}
     where "harvestedWetWeight" is not null and id > 9007199254740992
     order by "harvestedWetWeight" desc, label limit 3`,
  );
  say("");
  const fields = ["Id", "HarvestedWetWeight", "LastModified"];
  const columns = fields.map((field) => nameAs(field, "camelCase"));
  const lines = rows.flatMap((row) => {
    const plant = example.partner.truth(String(row["tenant_id"])).get(String(row["label"]));
    const sent = fields.map((field) =>
      plant === undefined ? "" : renderScalar(plant.fields[field] ?? null),
    );
    return [
      [String(row["label"]), "view", ...columns.map((column) => String(row[column]))],
      ["", "partner", ...sent.map((text) => text.replaceAll('"', ""))],
    ];
  });
  say(...layTable(["plant", "", ...columns], lines));
}

process.once("SIGINT", () => {
  killRunning();
  process.exit(130);
});
const example = await openExample({ seed: 414, dataFolder, historyDays: 14, plantsPerLicense: 200 });
try {
  await demo(example);
  console.log(`\nDone in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
} catch (error) {
  process.exitCode = 1;
  console.error(`\nThe demo failed: ${error instanceof DemoFailed ? error.message : (error as Error).stack}`);
} finally {
  await example.close();
}
