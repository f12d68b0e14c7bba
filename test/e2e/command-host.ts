/**
 * A process that runs one command after another as `leat` would, so that a test of many commands does not begin with
 * loading the engine as often. It may live where the tests do not: as another user, or with a file system of its own.
 */
import { rmSync, writeFileSync } from "node:fs";
import { Writable } from "node:stream";
import { runCommandLine } from "../../src/cli/main.ts";

/** What the tests ask for. */
export type HostRequest = Readonly<
  | { id: number; kind: "run"; args: readonly string[]; cwd: string; environment: Record<string, string> }
  | { id: number; kind: "fill"; path: string }
  | { id: number; kind: "remove"; path: string }
>;

/** What is sent back. */
export type HostAnswer = Readonly<{ id: number; code: number; stdout: string; stderr: string }>;

/** A stream into memory. */
function openSink(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

async function run(request: HostRequest & { kind: "run" }): Promise<HostAnswer> {
  const [stdout, stderr] = [openSink(), openSink()];
  const code = await runCommandLine(request.args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    cwd: request.cwd,
    environment: { ...request.environment },
    openInterrupts: () => ({ signal: new AbortController().signal, listen: () => {} }),
  });
  return { id: request.id, code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Writes until the disk has no byte left. */
function fill(path: string): void {
  for (let bytes = 64 * 1024; bytes >= 1; bytes >>= 1) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // Then in smaller pieces.
    }
  }
}

// One after another: what is asked for first is done when the next begins.
let last: Promise<unknown> = Promise.resolve();
process.on("message", (message) => {
  const request = message as HostRequest; // Only the tests send anything.
  last = last.then(async () => {
    if (request.kind === "run") return process.send?.(await run(request));
    if (request.kind === "fill") fill(request.path);
    else rmSync(request.path, { force: true });
    const done: HostAnswer = { id: request.id, code: 0, stdout: "", stderr: "" };
    return process.send?.(done);
  });
});
process.on("disconnect", () => process.exit(0));
