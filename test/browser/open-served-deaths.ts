/** `leat serve` on a file of deaths, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/steps.ts";

export type ServedProcess = AsyncDisposable &
  Readonly<{ url: string; child: ChildProcess; lines: readonly string[]; folder: string }>;

/** Starts it and waits until it listens. `text` or `bytes`: a file to be served, or `from`, one to be copied. */
export async function startServe(
  file: Readonly<
    { name: string; text: string } | { name: string; bytes: Uint8Array } | { name: string; from: string }
  >,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ServedProcess> {
  const folder = await mkdtemp(join(tmpdir(), "leat-browser-"));
  const path = join(folder, file.name);
  if ("text" in file) await writeFile(path, file.text);
  else if ("bytes" in file) await writeFile(path, file.bytes);
  else await copyFile(file.from, path);
  const child = spawn(process.execPath, [join(root, "bin/leat.js"), "serve", path, "--port", "0", ...args], {
    cwd: process.env["LEAT_PACKAGES"] ?? root, // Where packages of browsers are looked for.
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  const listening = Promise.withResolvers<string>();
  for (const stream of [child.stdout!, child.stderr!])
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url !== undefined && line.includes("listening on")) listening.resolve(url);
    });
  child.once("exit", (code) =>
    listening.reject(new Error(`leat serve ended with ${code}:\n${lines.join("\n")}`)),
  );
  const url = await listening.promise;
  return {
    url,
    child,
    lines,
    folder,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Two years of areas by month, as CSV. */
export function deathsCsv(areas: number): string {
  const lines = ["geo_code,geo_name,year,month,deaths"];
  for (let area = 1; area <= areas; area++)
    for (const year of [2018, 2019])
      for (let month = 1; month <= 12; month++) {
        const day = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
        const deaths = (area * 7 + month) % 10 === 0 ? "" : String(area * month);
        lines.push(`E${String(area).padStart(8, "0")},"Area ${area}, été",${year},${day},${deaths}`);
      }
  return `${lines.join("\n")}\n`;
}
