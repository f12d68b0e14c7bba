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
      const name = `  ${connections[at]} connections`;
      if (load.requestsPerSecond === 0) say(`  ${name}: no request was answered in time`);
      else row(name, load.cpuUsPerRequest, "CPU us", note);
    }
  }
  say();
  const loadsOf = (name: string, size: Served["size"]): readonly number[] =>
    bench.served
      .find((one) => one.name === name && one.size === size)
      ?.loads.map((load) => load.cpuUsPerRequest) ?? [];
  const at = connections.indexOf(64);
  const hello = loadsOf("hello", undefined)[at]!;
  for (const [size, target] of [
    ["small", 1.5],
    ["big", 1.8],
  ] as const) {
    const ours = loadsOf("leat", size)[at];
    const alone = loadsOf("leat, answers alone", size)[at];
    if (ours === undefined || alone === undefined) continue;
    row(`leat's answers alone / hello, ${size}`, alone / hello, "x", "at 64 connections");
    row(
      `leat as served / hello, ${size}`,
      ours / hello,
      "x",
      `with metrics, security headers, CORS (target at most ${target})`,
    );
    for (const peer of ["FastAPI + pandas", "Datasette"]) {
      // At the number of connections that is best for it.
      const theirs = Math.min(...loadsOf(peer, size));
      const note = peer === "Datasette" ? "" : "(target at least 50)";
      if (Number.isFinite(theirs))
        row(`${peer}, at its best / leat as served, ${size}`, theirs / ours, "x", note);
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
