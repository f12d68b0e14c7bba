/** `leat serve-sync`: the sync as an HTTP app for a scheduler. */
import type { Command } from "commander";
import type { ProgressEvent } from "../ports/world.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { readNumber } from "./read-number.ts";

type ServeOptions = GlobalOptions &
  Readonly<{ port?: string; host: string; softDeadline?: string; drain: string; concurrency?: string }>;

const after = `
Requests, GET or POST, options in the query or in a JSON body:
  /<stream>?tenant_id=414                    what is new
  /<source>/<stream>?tenant_id=414           the same, where two sources have such a stream
  ...&from=2026-01-01&to=2026-02-01          a range again
  ...&full_refresh=true                      everything anew (confirm_shrink=true: even if far fewer)
  /live, /ready                              for a supervisor

The answer is JSON: counts, cursor before and after, requests, packages. Failures are problem documents: 400 bad
input, 404 unknown stream or tenant, 405, 409 another run was first, 502 the partner failed, 503 come again.
An Idempotency-Key header makes a delivery that was completed a no-op.
The configuration is named by LEAT_CONFIG, the tenants by LEAT_TENANTS; the latter are read for each request.
SIGTERM drains: no new requests, running ones finish or stop at a safe point, exit code 0.`;

/** Port when neither --port nor PORT says: what Cloud Run and most containers use. */
const portDefault = 8080;

export function addServeSync(program: Command, invocation: Invocation): void {
  const command = program
    .command("serve-sync")
    .summary("Serve syncs over HTTP, one stream and tenant per request.")
    .description(
      "Serves syncs over HTTP, one stream and tenant per request. Keeps no state of its own: start as many as needed.",
    )
    .option("-p, --port <n>", `Port; 0 takes a free one. Default: PORT, else ${portDefault}.`)
    .option(
      "--host <address>",
      "Address to listen on; 0.0.0.0 in a container. There is no login: keep it private.",
      "127.0.0.1",
    )
    .option(
      "--soft-deadline <seconds>",
      "Stop a run at its next safe point this long after its request came; set it below the time-out of whoever calls. Default: never.",
    )
    .option(
      "--drain <seconds>",
      "After SIGTERM: until connections are cut; below the grace time of the supervisor.",
      "9",
    )
    .option("--concurrency <n>", "Extracts of one source at a time, over all requests. Default 4.")
    .addHelpText("after", after)
    .action(async () => {
      invocation.finish(await serveSync(invocation, command.optsWithGlobals<ServeOptions>()));
    });
}

async function serveSync(invocation: Invocation, options: ServeOptions): Promise<ExitCode> {
  const { terminal, environment, signal } = invocation;
  const port = readNumber("--port", options.port ?? environment["PORT"] ?? String(portDefault), 0, 65_535);
  const drainMs = readNumber("--drain", options.drain, 0, 3600) * 1000;
  const softDeadlineMs =
    options.softDeadline === undefined
      ? undefined
      : readNumber("--soft-deadline", options.softDeadline, 1, 86_400) * 1000;
  const extractsPerSource =
    options.concurrency === undefined ? undefined : readNumber("--concurrency", options.concurrency, 1, 1000);
  const [{ openProject }, { createSyncApp }, { serveSyncApp }, { openLogger, logProgress }] =
    await Promise.all([
      import("./open-project.ts"),
      import("../server/sync-app.ts"),
      import("../server/serve-sync-app.ts"),
      import("../server/logger.ts"),
    ]);
  const opened = await openProject(invocation, options);
  opened.readTenants(); // Wrong tenants are told now, not at the first request.
  const redact = (text: string): string => opened.secrets.redact(text);
  const log = {
    destination: { write: (line: string) => terminal.out(line) },
    level: options.quiet ? "warn" : (environment["LOG_LEVEL"] ?? "info"),
    isGoogleCloud: environment["K_SERVICE"] !== undefined,
    redact,
  };
  const logger = openLogger(log);
  const progress = (event: ProgressEvent): void => logProgress(logger, event);
  const sync = await opened.openSyncPorts(progress, { extractsPerSource });
  const app = createSyncApp(
    { project: opened.project, readTenants: opened.readTenants, sync, redact, log },
    { softDeadlineMs },
  );
  const wasDrained = await serveSyncApp(
    app,
    {
      host: options.host,
      port,
      // A third to finish on their own; the rest for a page to end and a commit to be made.
      finishMs: drainMs / 3,
      drainMs,
      onListening: (url) =>
        logger.info({ url, streams: opened.project.sources.length }, `listening on ${url}`),
    },
    signal,
  );
  if (!wasDrained)
    logger.warn("Some runs did not reach a safe point in time; the next ones go on from the last commit.");
  return 0;
}
