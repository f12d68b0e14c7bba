/**
 * Entry of a process that delivers shares: `node share-process-main.ts CONFIG`. Started by `open-share-lane.ts`.
 *
 * It does one share for one tenant at a time. Secrets are looked up for that alone, by a keeper of secrets that begins
 * and ends with it, so that no process ever holds two customers' at once, and the one that asks holds none.
 */
import { rm } from "node:fs/promises";
import { processEnvironment } from "../config/environment.ts";
import { openTenantVersions } from "../dataset/open-tenant-versions.ts";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { deliverShare } from "../share/deliver-share.ts";
import { failedReport, printOutcome, type ShareReport } from "../share/print-outcome.ts";
import { writeTenantRows } from "../warehouses/duckdb/tenant-rows.ts";
import type { Invocation } from "./invocation.ts";
import { openProject } from "./open-project.ts";
import { openShareTarget } from "./open-share-target.ts";
import type { ShareReply, ShareRequest } from "./share-messages.ts";
import { openTerminal } from "./terminal.ts";
import { makeWorkFolder } from "./work-folder.ts";

const invocation: Invocation = {
  terminal: openTerminal(process.stdout, process.stderr),
  signal: new AbortController().signal, // Whoever has started it ends it.
  listen: () => {},
  cwd: process.cwd(),
  environment: processEnvironment(),
  atEnd: () => {}, // It ends by a signal; what it has opened ends with it.
  finish: () => {},
};
const opened = await openProject(invocation, { config: process.argv[2] ?? "" });
const stop = new AbortController();

const reply = (message: ShareReply): void => void process.send?.(message);

process.on("disconnect", () => process.exit(1)); // Whoever has asked is gone; what was committed stays.
process.on("message", (request: ShareRequest) => {
  if (request.kind === "stop")
    stop.abort(new LeatError("INTERRUPTED", { message: "The share was stopped." }));
  else void deliver(request).then((report) => reply({ kind: "done", report }));
});
reply({ kind: "ready" });

async function deliver({
  share: name,
  tenant: id,
  mode,
}: ShareRequest & { kind: "share" }): Promise<ShareReport> {
  const secrets = opened.openSecrets();
  try {
    const share = opened.project.shares.find((one) => one.name === name);
    const tenant = opened.readTenants().find((one) => one.id === id);
    if (share === undefined || tenant === undefined)
      throw new LeatError("CONFIG_INVALID", { message: "The project was changed while it was shared." });
    const streams = new Map(
      opened.project.sources.flatMap((source) =>
        source.streams.map((stream) => [`${source.name}.${stream.name}`, stream] as const),
      ),
    );
    const workFolder = await makeWorkFolder(opened.warehouse.stateFolder, "share");
    try {
      const outcome = await deliverShare(
        {
          store: opened.store,
          versions: openTenantVersions(opened.store, writeTenantRows, workFolder),
          secrets,
          openTarget: (address) => openShareTarget(opened, share.name, address, workFolder),
          progress: (event) => reply({ kind: "progress", event }),
          workFolder,
        },
        {
          project: opened.project.name,
          share,
          tenant,
          mode,
          streams,
          datasets: new Map(opened.project.datasets.map((dataset) => [dataset.name, dataset])),
          tenantColumn: opened.project.tenantColumn,
        },
        stop.signal,
      );
      return printOutcome(outcome, secrets.redact);
    } finally {
      // A net: a delivery ends when what it has stopped writes no more, but for a warehouse that does not answer.
      await rm(workFolder, { recursive: true, force: true, maxRetries: 5 });
    }
  } catch (error) {
    const failure = isLeatError(error)
      ? (error as LeatError) // Of this very version: another copy is not loaded here.
      : new LeatError("INTERNAL", { message: `Unexpected: ${String(error)}`, cause: error });
    return failedReport(name, id, failure, secrets.redact);
  }
}
