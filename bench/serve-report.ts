/** The figures of serving, told. */

import { connections, type ServeBench, type Served } from "./serve.ts";
import { areas } from "./serve-data.ts";

type Telling = Readonly<{
  say: (line?: string) => void;
  row: (name: string, value: number, unit: string, note?: string) => void;
}>;

const titleOf = ({ name, size }: Served): string =>
  size === undefined
    ? `${name} (node:http, 17 bytes)`
    : `${name}, ${(areas[size] * 120).toLocaleString("en-US")} rows`;

/** Says all figures, with the targets. */
export function sayServed(bench: ServeBench, { say, row }: Telling): void {
  say(
    "One area's year, another one each time; wrk, one thread, connections kept alive; medians of interleaved rounds",
  );
  for (const served of bench.served) {
    say(`  ${titleOf(served)}; at most ${Math.round(served.peakMb)} MB resident`);
    for (const [at, load] of served.loads.entries()) {
      const note = `${Math.round(load.requestsPerSecond).toLocaleString("en-US")} requests/s, p99 ${load.p99Ms.toFixed(1)} ms, ${load.failed} failed`;
      row(`  ${connections[at]} connections`, load.cpuUsPerRequest, "CPU us", note);
    }
  }
  say();
  const cpuOf = (name: string, size: Served["size"]): number | undefined =>
    bench.served.find((one) => one.name === name && one.size === size)?.loads[2]?.cpuUsPerRequest; // At 64 connections.
  const hello = cpuOf("hello", undefined)!;
  for (const [size, target] of [
    ["small", 1.5],
    ["big", 1.8],
  ] as const) {
    const ours = cpuOf("leat", size);
    if (ours === undefined) continue;
    row(`leat / hello, ${size}, at 64 connections`, ours / hello, "x", `(target at most ${target})`);
    for (const peer of ["FastAPI + pandas", "Datasette"]) {
      const theirs = cpuOf(peer, size);
      if (theirs !== undefined)
        row(
          `${peer} / leat, ${size}`,
          theirs / ours,
          "x",
          peer === "Datasette" ? "" : "(target at least 50)",
        );
    }
  }
  row("facet of 83,334 values, all rows", bench.facetMs, "ms", "end to end (target at most 80)");
  row("the same of filtered rows", bench.filteredFacetMs, "ms", "end to end (target at most 80)");
  row(
    "full export, CSV",
    bench.exportMegabytesPerSecond,
    "MB/s",
    `${Math.round(bench.exportMegabytes)} MB (target at least 400)`,
  );
  const { swaps, failed, p99Ms, calmP99Ms } = bench.swap;
  row(
    "failed requests while versions were swapped",
    failed,
    "",
    `${swaps} swaps at 64 connections; p99 ${p99Ms.toFixed(1)} ms, without ${calmP99Ms.toFixed(1)} ms`,
  );
  say();
}
