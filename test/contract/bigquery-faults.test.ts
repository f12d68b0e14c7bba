/** Loads into BigQuery among lost answers, busy services, failed jobs and deaths. */
import { expect, test } from "vitest";
import { failureOf, makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { matrixFaults, runBigQueryMatrix } from "../torture/bigquery-matrix.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;
const minutes = 60_000;

async function withPlace(run: (bench: WarehouseBench, place: BigQueryPlace) => Promise<void>): Promise<void> {
  const place = await openPlace();
  try {
    await run(new WarehouseBench(place), place);
  } finally {
    await place.dispose();
  }
}

test("I18 a load with a fault at an exchange, or a death there, leaves every row once after the next", {
  timeout: 5 * minutes,
}, async () => {
  // A step without a common divisor meets every fault, and exchanges from the first to the last.
  const report = await runBigQueryMatrix(0, matrixFaults.length + 1, () => {});
  expect(report.faults).toEqual([]);
  expect(report.exchanges).toBeGreaterThan(30);
  expect(report.cases).toBeGreaterThan(25);
});

test("I18 a death while a warehouse is made leaves one that the next load makes and fills", {
  timeout: 2 * minutes,
}, async () => {
  const place = await openPlace();
  try {
    // The first load of a warehouse: its dataset is looked for, leat's tables are made, the id is given, rows come.
    for (let nth = 0; nth < 14; nth += 1) {
      const project = `new-${nth}`;
      await place.server.addDataset(project, "warehouse");
      const bench = new WarehouseBench({ ...place, warehouse: place.open("", project) });
      const pack = await bench.land([plant(1, "2024-01-01")]);
      const death = new AbortController();
      const begun = place.server.exchanges.length;
      place.server.setFaults(({ number }) => {
        if (death.signal.aborted) return "before"; // A dead process hears nothing, and nobody hears it.
        if (number - begun === nth) death.abort();
        return death.signal.aborted ? "after" : undefined;
      });
      const dying = place.open("", project).load(spec, [pack], async () => pack, death.signal);
      await expect(dying, `exchange ${nth}`).rejects.toThrow();
      place.server.setFaults(undefined);
      await place.server.jobs.settle();
      const next = place.open("", project);
      await next.readLedgerHeads(spec);
      await bench.load(spec, [pack], next);
      expect(await bench.rows(`SELECT id FROM ${table}`, next), `exchange ${nth}`).toEqual([[1]]);
    }
  } finally {
    await place.dispose();
  }
});

test("a death between commit and views is mended by a look that finds nothing to load, and a look costs two requests", async () => {
  await withPlace(async (bench, place) => {
    const { rows } = await dieBeforeViews(bench, place);
    expect(await rows()).toEqual([[1, 1]]);
    const next = place.open();
    expect(next.settle).toBeDefined();
    await next.settle?.(spec);
    expect(await rows()).toEqual(bothRows);
    const before = place.server.exchanges.length;
    await next.settle?.(spec);
    expect(place.server.exchanges.slice(before).map(({ method }) => method)).toEqual(["GET", "GET"]);
  });
});

test("a death between commit and views is mended by a load that looked before the commit and comes after it", async () => {
  await withPlace(async (bench, place) => {
    const { second, rows } = await dieBeforeViews(bench, place);
    const receipt = await place.open().load(spec, [second], async () => second, new AbortController().signal);
    expect(receipt).toEqual({ packages: [], changes: [] });
    expect(await rows()).toEqual(bothRows);
  });
});

const bothRows = [
  [1, "1"],
  [2, "x"],
];

/** A load that dies after its commit: the second package changes a type, so that rows move and the view is yet to be pointed. */
async function dieBeforeViews(bench: WarehouseBench, { server, open }: BigQueryPlace) {
  const [first, second] = [
    await bench.land([plant(1, "2024-01-01", '"v":1')]),
    await bench.land([plant(2, "2024-01-02", '"v":"x"')]),
  ];
  await bench.load(spec, [first]);
  const death = new AbortController();
  server.setFaults(({ method, path }) => {
    if (death.signal.aborted) return "before";
    if (method !== "PATCH" || !path.endsWith(`/tables/${table}`)) return undefined;
    death.abort();
    return "before";
  });
  const dying = open().load(spec, [second], async () => first, death.signal);
  await expect(dying).rejects.toThrow();
  server.setFaults(undefined);
  return { second, rows: () => bench.rows(`SELECT id, v FROM ${table} ORDER BY id`) };
}

test("I18 a job that fails has used up its name, and the next attempt has another", async () => {
  await withPlace(async (bench, { server }) => {
    let failures = 2;
    server.setFaults(undefined, ({ kind }) =>
      kind === "load" && failures-- > 0 ? { reason: "backendError", message: "Try again" } : undefined,
    );
    await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
    const loads = server.jobs.list().filter(({ id }) => id.startsWith("leat_load_"));
    expect(loads.map(({ id }) => id.slice(-2))).toEqual(["a1", "a2", "a3"]);
    expect(new Set(loads.map(({ id }) => id.slice(0, -2))).size).toBe(1);
    expect(await bench.values(`SELECT id FROM ${table}`)).toEqual([1]);
  });
});

test("I18 a job that goes on after its process is adopted by the next one, which loads nothing twice", async () => {
  await withPlace(async (bench, { server, open }) => {
    const pack = await bench.land([plant(1, "2024-01-01"), plant(2, "2024-01-01")]);
    server.setFaults(undefined, ({ id }) => (id.startsWith("leat_commit_") ? { slowMs: 1_500 } : undefined));
    const death = new AbortController();
    const dying = open().load(spec, [pack], async () => pack, death.signal);
    const begun = () => server.jobs.list().some(({ id }) => id.startsWith("leat_commit_"));
    for (let waits = 0; !begun() && waits < 500; waits += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    death.abort();
    await failureOf(dying, "INTERRUPTED");
    const receipt = await bench.load(spec, [pack]);
    expect(receipt.packages).toEqual([]); // The other's job has loaded it.
    expect(server.jobs.list().filter(({ id }) => id.startsWith("leat_commit_"))).toHaveLength(1);
    expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([2]);
  });
});

test("I11 loads of different packages at the same time are all there once", {
  timeout: 5 * minutes, // Ten seconds beside ten busy programs: each load begins again for each of the others.
}, async () => {
  await withPlace(async (bench, { open }) => {
    const tenants = ["a", "b", "c", "d"];
    const packs = [];
    for (const [at, tenant] of tenants.entries())
      packs.push(await bench.land([plant(at, "2024-01-01", `"v${at}":${at}`)], { tenant }));
    await Promise.all(packs.map((pack) => bench.load(spec, [pack], open())));
    expect(await bench.rows(`SELECT tenant_id, id FROM ${table} ORDER BY id`)).toEqual(
      tenants.map((tenant, at) => [tenant, at]),
    );
    const columns = await bench.values("SELECT key FROM _leat_columns WHERE key LIKE 'v%' ORDER BY key");
    expect(columns).toEqual(["v0", "v1", "v2", "v3"]);
  });
});

test("I11 a load within which another moves the stream's rows begins again, and both are there and shown", {
  timeout: 5 * minutes,
}, async () => {
  // Every fifth exchange from the second: plans, stages, commits and views are met.
  const ends = [];
  for (let nth = 2; ends.at(-1) !== "not reached"; nth += heldStep) ends.push(await overtakeAt(nth));
  expect(ends.length).toBeGreaterThan(5);
});

const heldStep = 5;

/** Holds the nth exchange of a load until another load of the stream has ended. */
async function overtakeAt(nth: number): Promise<"overtaken" | "not reached"> {
  const kept = makeStreamSpec({ isMaterialized: true });
  let isReached = false;
  await withPlace(async (bench, { open, server }) => {
    const packs = [
      await bench.land([plant(1, "2024-01-01", '"v":1')], { tenant: "a" }),
      await bench.land([plant(2, "2024-01-01", '"v":2')], { tenant: "b" }),
      // Makes text of a column of numbers: all rows move to another table, and what was loaded is read again.
      await bench.land([plant(3, "2024-01-01", '"v":"x"')], { tenant: "c" }),
    ] as const;
    const load = async (at: number) => {
      const reopen = async (tenant: string) => packs.find((pack) => pack.tenant === tenant)!;
      return await open().load(kept, [packs[at]!], reopen, new AbortController().signal);
    };
    await load(0);
    const begun = server.exchanges.length;
    server.setFaults(({ number }) => {
      if (isReached || number - begun !== nth) return undefined;
      isReached = true;
      return { until: load(2) };
    });
    const receipt = await load(1);
    expect(receipt.packages, `held at ${nth}`).toMatchObject([{ tenant: "b", loaded: 1 }]);
    if (!isReached) return;
    const rows = [1, 2, 3].map((id) => [id, id === 3 ? "x" : String(id)]);
    for (const shown of [table, open().currentName!(kept)])
      expect(await bench.rows(`SELECT id, v FROM ${shown} ORDER BY id`), `held at ${nth}`).toEqual(rows);
  });
  return isReached ? "overtaken" : "not reached";
}
