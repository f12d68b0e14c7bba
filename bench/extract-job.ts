/**
 * One job of the extract benchmark in a process of its own, so that memory and start-up are its own:
 * `node bench/extract-job.ts WAY URL PAGES FOLDER [gzip]`. Prints one line of JSON.
 *
 * Ways: `drain` the bodies and forget them; `stringify`: fetch().json(), JSON.stringify per record, to a file;
 * `leat`: extract to plain NDJSON; `leat-zstd`: extract as it is by default; `leat-all`: one answer of PAGES bytes.
 */

import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Agent, request } from "undici";
import { extractStream } from "../src/extract/extract-stream.ts";
import { newRunId, toTenantId } from "../src/model/ids.ts";
import { openScanner } from "../src/scan/open-scanner.ts";
import { rest } from "../src/sources/rest/rest.ts";
import { openFsStore } from "../src/stores/fs/open-fs-store.ts";

const [way = "", url = "", amount = "0", folder = "", packed] = process.argv.slice(2);
const isPacked = packed === "gzip";
const pageCount = Number(amount);
const pathOf = (page: number) => `${url}/page?page=${page}${isPacked ? "&gzip" : ""}`;

async function drain(): Promise<number> {
  const dispatcher = new Agent();
  for (let page = 0; page < pageCount; page++) {
    const { body } = await request(pathOf(page), { dispatcher });
    for await (const _ of body);
  }
  await dispatcher.close();
  return pageCount * 1000;
}

async function stringify(): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const file = createWriteStream(join(folder, "records.ndjson"));
  let records = 0;
  for (let page = 0; page < pageCount; page++) {
    const answer = (await (await fetch(pathOf(page))).json()) as { data: { items: unknown[] } }; // As our server answers.
    let lines = "";
    for (const item of answer.data.items) lines += `${JSON.stringify(item)}\n`;
    records += answer.data.items.length;
    if (!file.write(lines)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return records;
}

async function extract(compression: "none" | "zstd", path: "/page" | "/all"): Promise<number> {
  const source = rest({
    name: "bench",
    baseUrl: url,
    streams: {
      records: {
        path,
        records: "data.items",
        primaryKey: "id",
        cursor: { field: "updated_at", start: { param: "since", inclusive: true } },
        pagination:
          path === "/page" ? { type: "cursorToken", path: "meta.next", param: "page" } : { type: "single" },
        params: path === "/all" ? { bytes: pageCount } : isPacked ? { gzip: "1" } : {},
        bounds: { pagesMax: 1_000_000 },
      },
    },
  });
  const tenant = { id: toTenantId("bench"), fields: {} };
  const world = {
    clock: { nowMs: Date.now, sleep: (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal }) },
    random: { newRunId, fraction: Math.random },
    progress: () => {},
  };
  const reader = await source.open("records", tenant, {
    ...world,
    secrets: { resolve: (reference) => Promise.reject(new Error(reference)) },
    places: { resolvePath: (path) => path, openStore: (url) => Promise.reject(new Error(url)) },
  });
  const spec = source.streams[0]!;
  const outcome = await extractStream(
    { ...world, store: openFsStore(folder), openScanner },
    {
      spec,
      tenant,
      reader,
      mode: { kind: "incremental" },
      tenantColumn: "tenant_id",
      compression,
      idempotencyKey: undefined,
      softDeadlineMs: undefined,
    },
    new AbortController().signal,
  );
  await reader.close();
  return outcome.counts.landed;
}

const ways: Readonly<Record<string, () => Promise<number>>> = {
  drain,
  stringify,
  leat: () => extract("none", "/page"),
  "leat-zstd": () => extract("zstd", "/page"),
  "leat-all": () => extract("zstd", "/all"),
};

const run = ways[way];
if (run === undefined) throw new Error(`no way "${way}"`);
const begun = performance.now();
const cpuBefore = process.cpuUsage();
const records = await run();
const seconds = (performance.now() - begun) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(JSON.stringify({ records, seconds, cpuSeconds, peakMb: process.resourceUsage().maxRSS / 1024 }));
