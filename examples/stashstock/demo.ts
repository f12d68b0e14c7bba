/** `npm run demo`: the whole story on this machine, every number counted while it happens. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { runLeat, serveDeaths, stopServing } from "../ons-deaths/serve-deaths.ts";
import { layTable } from "./lay-table.ts";
import { type Example, openExample, type SyncedStream } from "./open-example.ts";
import { nameAs, renderScalar } from "./partner/plant.ts";
import { killRunning } from "./run-leat.ts";

const dataFolder = join(import.meta.dirname, ".leat");
const main = "metrc_plants";
/** Longer than the lag of the streams, so that also those that stop short of it show what was before. */
const minuteMs = 65_000;
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
    ...partner.change({ count: 5, backdateMs: 30_000 }),
  ];
  const distinct = new Set(seen.map(({ label }) => label));
  partner.advance(minuteMs);
  const late = partner.change({ count: 9, lateMs: 40_000 });
  partner.advance(2000);
  say(
    `${count(distinct.size)} plants changed or new, some with times out of order; a minute goes by`,
    `${late.length} more changed just now, but the partner will show that only in 40 s`,
  );
  partner.faults.inject({ kind: "status", status: 429, retryAfter: "1", times: 2 });
  partner.faults.inject({ kind: "status", status: 500, after: 3 });
  partner.faults.inject({ kind: "break", endpoint: "v1/all", after: 2 });
  const second = await syncAndTell(example);
  say(
    `${main}: ${count(first.fetched)} plants in ${count(first.requests)} requests the first time, ` +
      `${count(second.fetched)} in ${count(second.requests)} now`,
  );

  step("4  leat sync, killed in the middle");
  const many = partner.change({ count: 500 });
  partner.advance(minuteMs);
  say(`${count(many.length)} plants changed; a minute goes by`);
  await killInTheMiddle(example, first.streams, 24);
  say("once more, to the end; what was committed before is loaded, not fetched again:");
  await syncAndTell(example);

  step("5  The current view beside the partner's own book");
  await compareAndTell(example);

  step("6  Each customer's own rows in that customer's own warehouse");
  await shareAndTell(example);

  step("7  Where to look next");
  const here = relative(process.cwd(), import.meta.dirname) || ".";
  say(
    `landed files    ${join(here, ".leat/landing/landing")}`,
    `log, the state  ${join(here, ".leat/landing/log")}`,
    `configuration   ${join(here, "leat.config.ts")}`,
    `the datasets    ${join(here, "../ons-deaths")}: npx leat build && npx leat serve`,
    `cd ${here}, then:`,
    `  npx leat query "select tenant_id, state, count(*) from stashstock.${main} group by all order by all"`,
    `  npx leat query "select label, valid_from, valid_to from stashstock.${main}_history order by all limit 10"`,
    "  npx leat state show",
    "  npx leat verify       landing and warehouse compared",
    "  npx leat rebuild      the warehouse again, from the landed files alone",
  );

  step("8  The other half: workbooks of a publisher, built into a dataset, served and asked");
  await serveAndAsk();
}

/** What the publisher's workbook says of Stockport in 2018. */
const stockport2018 = [315, 238, 267, 265, 218, 211, 212, 210, 191, 221, 239, 221];

async function serveAndAsk(): Promise<void> {
  const folder = join(dataFolder, "deaths");
  const environment = {
    ...process.env,
    LEAT_LANDING: `file:${join(folder, "landing")}`,
    LEAT_WAREHOUSE: `duckdb:${join(folder, "warehouse.duckdb")}`,
  };
  const built = await runLeat(["build", "deaths"], environment);
  say(...built.split("\n").filter((line) => /^(deaths: |\d+ of )/.test(line)));
  await using served = await serveDeaths(environment);
  const address = `${served.url}/year/2018/geo_code/E08000007`;
  const { stdout } = await promisify(execFile)("curl", ["--silent", "--show-error", "--fail", address]);
  say(`$ curl ${address}`, stdout.trim());
  const { data } = JSON.parse(stdout) as { data: Readonly<Record<string, number>> };
  if (JSON.stringify(Object.values(data)) !== JSON.stringify(stockport2018))
    throw new DemoFailed(`Stockport in 2018 is ${stockport2018.join(" ")} in the workbook.`);
  say("as in the publisher's workbook; pages, documentation and SQL are at the same place: npx leat serve");
}

/** Runs a sync and shows what it did, by stream, and how the partner saw it. */
async function syncAndTell(
  example: Example,
): Promise<{ fetched: number; requests: number; streams: number }> {
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
  return { fetched: Number(fetched), requests: Number(requests), streams: streams.length };
}

/** Starts a sync, lets the partner answer some requests and no more, and kills the process. */
async function killInTheMiddle(example: Example, streamCount: number, answersMax: number): Promise<void> {
  const { partner } = example;
  const before = partner.counts.total().answered;
  const committedBefore = countManifests();
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
  const all = streamCount * example.tenants.length;
  say(
    `process ${killed.pid} ended by ${signal} after ${partner.counts.total().answered - before} answers, ` +
      `${countManifests() - committedBefore} of ${all} packages committed`,
  );
}

/** Entries of the log: each is one commit of one stream and customer. */
const countManifests = (): number =>
  readdirSync(join(dataFolder, "landing/log"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".json"),
  ).length;

async function compareAndTell(example: Example): Promise<void> {
  const { partner, tenants } = example;
  partner.advance(partner.msUntilSettled()); // Nothing: the minute was longer than any delay.
  const comparisons = await example.compare();
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
  const [landed] = await example.query("select count(*) as versions from gcs_metrc_plants");
  const doubled = await example.countDoubled();
  say(
    "",
    `landing table gcs_metrc_plants: ${count(Number(landed?.["versions"]))} versions of plants, ${doubled} of them landed twice`,
  );
  const isEqual = [...comparisons.values()].every((comparison) => comparison.isEqual);
  if (isEqual && doubled === 0) {
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

/** Delivers, delivers once more after some changes, and holds each customer's warehouse against the partner. */
async function shareAndTell(example: Example): Promise<void> {
  const { partner } = example;
  const first = await example.share();
  const changed = partner.change({ count: 20 });
  partner.advance(minuteMs);
  await example.sync();
  const second = await example.share();
  const compared = await example.compareReplicas();
  const moved = (of: typeof first, tenant: string): number =>
    of.find(({ tenant_id }) => tenant_id === tenant)?.tables[0]?.rows ?? 0;
  say(
    `leat share, then ${changed.length} plants change, leat sync, and leat share again:`,
    ...layTable(
      [
        "customer",
        "warehouse",
        "rows moved",
        "moved again",
        "plants at the partner",
        "equal in every column",
      ],
      second.map(({ tenant_id: tenant, target }) => [
        tenant,
        target.slice(0, target.indexOf(":")),
        moved(first, tenant),
        moved(second, tenant),
        partner.truth(tenant).size,
        compared.get(tenant)!.equal,
      ]),
    ),
  );
  const isEqual = [...compared.values()].every((one) => one.isEqual && one.otherTenants === 0);
  if (!isEqual)
    throw new DemoFailed("A customer's warehouse is not equal to the partner's plants of that customer.");
  const receipt = second[0]!.tables[0]!.receipts[0]!;
  say(
    `EQUAL, and nobody else's rows. A receipt of customer ${second[0]!.tenant_id}: ${receipt.rows} rows, checksum ${receipt.checksum}`,
    `  ${receipt.query}`,
  );
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

for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => {
    killRunning();
    stopServing();
    process.exit(exitCode);
  });
}
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
