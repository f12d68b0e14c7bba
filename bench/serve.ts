/** Serving: what an answer costs beside Node's own least, and beside what people use instead, on the same rows. */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./processes.ts";
import { installPython } from "./python-environment.ts";
import { areas, makeCsv, makeVersion, type Size } from "./serve-data.ts";
import { hasWrk, type Load, loadWith, type Running, startProcess, startScript } from "./serve-process.ts";

/** Pinned, so that the figures say of what they are. */
const fastApi = [
  "fastapi==0.165.0",
  "uvicorn==0.54.0",
  "uvloop==0.23.0",
  "httptools==0.9.0",
  "pandas==3.1.1",
  "pyarrow==26.0.1",
];
const datasette = ["datasette==0.65.5", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0"];

const leatPattern = "/year/YEAR/geo_code/AREA";
const datasettePattern = "/deaths/deaths.json?year=YEAR&geo_code=AREA&_shape=array";
export const connections = [1, 16, 64, 256] as const;

/** One server's figures at each number of connections. */
export type Served = Readonly<{
  name: string;
  size: Size | undefined;
  loads: readonly Load[];
  peakMb: number;
}>;

export type ServeBench = Readonly<{
  served: readonly Served[];
  /** Milliseconds, medians: one client, nothing remembered. */
  facetMs: number;
  filteredFacetMs: number;
  exportMegabytes: number;
  exportMegabytesPerSecond: number;
  swap: Readonly<{ swaps: number; failed: number; p99Ms: number; calmP99Ms: number }>;
  /** What of it could not be measured, and why. */
  missing: string | undefined;
}>;

type Subject = Readonly<{
  name: string;
  size: Size | undefined;
  pattern: string;
  start: () => Promise<Running>;
  seconds: number;
  /** So slow that what a load leaves in its queue would burden all others: started for each load, in one round only. */
  isSlow?: boolean;
}>;

/** Measures. `rounds` interleaved, so that a busy minute is everybody's. */
export async function benchServe(options: {
  sizes: readonly Size[];
  rounds: number;
  seconds: number;
}): Promise<ServeBench> {
  if (!hasWrk()) throw new Error("wrk is not installed: it is the load generator (Debian: apt install wrk)");
  const { subjects, missing } = await planSubjects(options.sizes, options.seconds);
  const running = new Map<Subject, Running>();
  try {
    for (const subject of subjects) running.set(subject, await subject.start());
    await checkAnswers(running);
    const [slow, steady] = [
      subjects.filter(({ isSlow }) => isSlow),
      subjects.filter(({ isSlow }) => !isSlow),
    ];
    for (const subject of slow) await running.get(subject)!.stop();
    for (const subject of slow) running.delete(subject);
    const loads = new Map(subjects.map((subject) => [subject, connections.map((): Load[] => [])]));
    for (let round = 0; round < options.rounds; round++)
      for (const [at, count] of connections.entries())
        for (const subject of steady)
          loads.get(subject)![at]!.push(await loadWith(running.get(subject)!, askedOf(subject, count)));
    const peaks = new Map(steady.map((subject) => [subject, running.get(subject)!.peakMb()]));
    for (const subject of slow)
      for (const [at, count] of connections.entries()) {
        const server = await subject.start();
        loads.get(subject)![at]!.push(await loadWith(server, askedOf(subject, count)));
        peaks.set(subject, Math.max(peaks.get(subject) ?? 0, server.peakMb()));
        await server.stop();
      }
    const served = subjects.map((subject) => ({
      name: subject.name,
      size: subject.size,
      loads: loads.get(subject)!.map(medianLoad),
      peakMb: peaks.get(subject)!,
    }));
    const largest = options.sizes.at(-1)!;
    const big = running.get(subjects.find(({ name, size }) => name === "leat" && size === largest)!)!;
    return {
      served,
      ...(await measureWork(big)),
      swap: await measureSwap(big, largest, options.seconds),
      missing,
    };
  } finally {
    for (const server of running.values()) await server.stop();
  }
}

const askedOf = ({ pattern, size, seconds }: Subject, count: number): Parameters<typeof loadWith>[1] => ({
  pattern,
  areas: size === undefined ? undefined : areas[size],
  connections: count,
  seconds,
});

async function planSubjects(
  sizes: readonly Size[],
  seconds: number,
): Promise<Readonly<{ subjects: readonly Subject[]; missing: string | undefined }>> {
  const subjects: Subject[] = [
    {
      name: "hello",
      size: undefined,
      pattern: "/",
      start: () => startScript("serve-host.ts", ["hello"]),
      seconds,
    },
  ];
  const pandas = installPython("serve-fastapi", fastApi);
  const table = installPython("serve-datasette", datasette);
  for (const size of sizes) {
    const { path } = await makeVersion(size);
    const csv = await makeCsv(size);
    const peer = (file: string, python: string, source: string) => (): Promise<Running> =>
      startProcess(python, [`${import.meta.dirname}/${file}`, source]);
    subjects.push({
      name: "leat",
      size,
      pattern: leatPattern,
      start: () => startScript("serve-host.ts", [size, "baked", "hosted"]),
      seconds,
    });
    subjects.push({
      name: "leat, answers alone",
      size,
      pattern: leatPattern,
      start: () => startScript("serve-host.ts", [size, "baked"]),
      seconds,
    });
    if (pandas.path !== undefined)
      subjects.push({
        name: "FastAPI + pandas",
        size,
        pattern: leatPattern,
        start: peer("serve_fastapi.py", pandas.path, path),
        seconds: size === "big" ? seconds * 10 : seconds,
        isSlow: size === "big",
      });
    if (table.path !== undefined)
      subjects.push({
        name: "Datasette",
        size,
        pattern: datasettePattern,
        start: peer("serve_datasette.py", table.path, csv),
        seconds,
      });
  }
  const reasons = [pandas.reason, table.reason].filter((reason) => reason !== undefined);
  return { subjects, missing: reasons.length === 0 ? undefined : reasons.join("; ") };
}

/** All servers give the same twelve figures, or the comparison is of different things. */
async function checkAnswers(running: ReadonlyMap<Subject, Running>): Promise<void> {
  const texts = new Map<Size, string>();
  for (const [{ name, size, pattern }, { url }] of running) {
    if (size === undefined) continue;
    const answer = await (
      await fetch(url + pattern.replace("YEAR", "2015").replace("AREA", "E00000123"))
    ).json();
    const data = Array.isArray(answer)
      ? Object.fromEntries(
          (answer as { month: string; deaths: number }[]).map((row) => [row.month, row.deaths]),
        ) // Rows of Datasette.
      : (answer as { data: Record<string, number> }).data;
    const text = JSON.stringify(data);
    if (Object.keys(data).length !== 12) throw new Error(`${name} answers ${text}`);
    if ((texts.get(size) ?? text) !== text)
      throw new Error(`${name} answers ${text}, others ${texts.get(size)}`);
    texts.set(size, text);
  }
}

function medianLoad(loads: readonly Load[]): Load {
  const of = (read: (load: Load) => number): number => median(loads.map(read));
  return {
    requestsPerSecond: of((load) => load.requestsPerSecond),
    cpuUsPerRequest: of((load) => load.cpuUsPerRequest),
    p99Ms: of((load) => load.p99Ms),
    failed: loads.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** What takes long: facets, each another one, and the whole dataset as a file. */
async function measureWork(
  server: Running,
): Promise<Pick<ServeBench, "facetMs" | "filteredFacetMs" | "exportMegabytes" | "exportMegabytesPerSecond">> {
  const timesOf = async (url: (turn: number) => string): Promise<number> => {
    const times: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      const begun = performance.now();
      const answer = await fetch(server.url + url(turn));
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${url(turn)} answers ${answer.status}`);
      times.push(performance.now() - begun);
    }
    return median(times);
  };
  const facets = "/datasets/deaths/facets?columns=geo_code&limit=";
  const facetMs = await timesOf((turn) => `${facets}${10 + turn}`);
  const filteredFacetMs = await timesOf((turn) => `${facets}10&deaths.ne=${turn}`);
  const rates: number[] = [];
  let bytes = 0;
  for (let turn = 0; turn < 5; turn++) {
    const begun = performance.now();
    bytes = await download(`${server.url}/datasets/deaths/export.csv`);
    rates.push(bytes / 1e6 / ((performance.now() - begun) / 1000));
  }
  return { facetMs, filteredFacetMs, exportMegabytes: bytes / 1e6, exportMegabytesPerSecond: median(rates) };
}

/** Reads an answer to its end; its bytes. With Node's own client: `fetch` takes longer for a piece than the server does. */
async function download(url: string): Promise<number> {
  const [answer] = (await once(get(url), "response")) as [IncomingMessage]; // What the event brings.
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(answer, "end");
  if (answer.statusCode !== 200 || bytes !== Number(answer.headers["content-length"]))
    throw new Error(`${url} answers ${answer.statusCode} with ${bytes} bytes`);
  return bytes;
}

/** A new version is loaded and taken while requests come in. */
async function measureSwap(server: Running, size: Size, seconds: number): Promise<ServeBench["swap"]> {
  const asked = { pattern: leatPattern, areas: areas[size], connections: 64 };
  const calm = await loadWith(server, { ...asked, seconds });
  const versionOf = async (): Promise<string | null> =>
    (await fetch(`${server.url}/year/2015/geo_code/E00000123`)).headers.get("leat-version");
  let swaps = 0;
  let before = await versionOf();
  let failed = 0;
  const p99: number[] = [];
  for (let turn = 0; turn < 2; turn++) {
    server.signal("SIGUSR2");
    for (let tries = 0; tries < 60 && (await versionOf()) === before; tries++) {
      const load = await loadWith({ ...server, cpuSeconds: () => 0 }, { ...asked, seconds }); // Not idle: it loads.
      failed += load.failed;
      p99.push(load.p99Ms);
    }
    const after = await versionOf();
    if (after !== before) swaps++;
    before = after;
    await sleep(500);
  }
  return { swaps, failed, p99Ms: Math.max(...p99), calmP99Ms: calm.p99Ms };
}

if (import.meta.main)
  console.log(JSON.stringify(await benchServe({ sizes: ["small"], rounds: 1, seconds: 1 }), null, 1));
