/** `leat serve-sync`: the sync as an HTTP app for a scheduler. */
import type { Command } from "commander";
import type { ProgressEvent } from "../ports/world.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { readNumber } from "./read-number.ts";

type ServeOptions = GlobalOptions &
  Readonly<{
    port?: string;
    host: string;
    softDeadline?: string;
    drain: string;
    concurrency?: string;
    auth?: string;
    queue?: string;
    /** `false`: --no-load. */
    load: boolean;
  }>;

const after = `
Requests, GET or POST, options in the query or in a JSON body:
  /<stream>?tenant_id=414                    what is new
  /<source>/<stream>?tenant_id=414           the same, where two sources have such a stream
  ...&from=2026-01-01&to=2026-02-01          a range again
  ...&full_refresh=true                      everything anew (confirm_shrink=true: even if far fewer)
  ...&not_after=2026-01-01T04:00:00Z         nothing, when it comes later than that
  /live, /ready                              for a supervisor
Only POST, for all tenants at once:
  /plan                                      hands what is due by the schedules of syncFlow to the queue
  /load                                      loads what is landed, one load a stream; ?stream=shop.orders
  /build                                     builds datasets from it; ?dataset=sales
  /share                                     delivers shares; ?share=replicas&tenant_id=414

The answer is JSON: counts, cursor before and after, requests, packages. Failures are problem documents: 400 bad
input, 401 and 403 the caller, 404 unknown stream or tenant, 405, 409 another run was first, 502 the partner failed,
503 come again. A delivery that was done before is not done again, and is answered as it was then: it is known by an
Idempotency-Key header, or by those of Cloud Scheduler and Cloud Tasks.
Callers (--auth): none; iam: checked by Cloud Run, the default there; oidc: identity tokens for LEAT_AUTH_AUDIENCE from
LEAT_AUTH_CALLERS; apikey: LEAT_AUTH_KEY, a reference such as env:SYNC_KEY, sent as Authorization: Bearer or X-Api-Key.
The configuration is named by LEAT_CONFIG, the tenants by LEAT_TENANTS; the latter are read for each request.
SIGTERM drains: no new requests, running ones finish or stop at a safe point, exit code 0.`;

/** Port when neither --port nor PORT says: what Cloud Run and most containers use. */
const portDefault = 8080;

/** Addresses that only this machine reaches. */
const loopback = /^(127\.|localhost$|::1$)/;

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
      "Address to listen on; 0.0.0.0 in a container. Anybody may call unless --auth says otherwise.",
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
    .option(
      "--auth <mode>",
      "How callers are known: none, iam, oidc or apikey. Default: LEAT_AUTH, else iam on Cloud Run and none elsewhere.",
    )
    .option(
      "--queue <url>",
      "Where /plan puts due syncs: cloud-tasks://projects/…/locations/…/queues/…, or local: for this process. Default: LEAT_QUEUE.",
    )
    .option("--no-load", "Only land what a request asks for; POST /load loads it, for all tenants at once.")
    .addHelpText("after", after)
    .action(async () => {
      invocation.finish(await serveSync(invocation, command.optsWithGlobals<ServeOptions>()));
    });
}

async function serveSync(invocation: Invocation, options: ServeOptions): Promise<ExitCode> {
  const { terminal, environment, signal, cwd } = invocation;
  const port = readNumber("--port", options.port ?? environment["PORT"] ?? String(portDefault), 0, 65_535);
  const drainMs = readNumber("--drain", options.drain, 0, 3600) * 1000;
  const softDeadlineMs =
    options.softDeadline === undefined
      ? undefined
      : readNumber("--soft-deadline", options.softDeadline, 1, 86_400) * 1000;
  const extractsPerSource =
    options.concurrency === undefined ? undefined : readNumber("--concurrency", options.concurrency, 1, 1000);
  const [
    { isTransferred, openProject },
    { createSyncApp, openTraceStore },
    { serveSyncApp },
    { openLogger, logProgress },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("../server/sync-app.ts"),
    import("../server/serve-sync-app.ts"),
    import("../server/logger.ts"),
  ]);
  const [{ readSyncAuth }, { openPlanner }, { buildDatasets }, { runChosenShares }] = await Promise.all([
    import("./read-sync-auth.ts"),
    import("./open-planner.ts"),
    import("./build-datasets.ts"),
    import("./run-shares.ts"),
  ]);
  const opened = await openProject(invocation, options);
  opened.readTenants(); // Wrong tenants are told now, not at the first request.
  const redact = (text: string): string => opened.secrets.redact(text);
  const trace = openTraceStore();
  const log = {
    destination: { write: (line: string) => terminal.out(line) },
    level: options.quiet ? "warn" : (environment["LOG_LEVEL"] ?? "info"),
    isGoogleCloud: environment["K_SERVICE"] !== undefined,
    redact,
    mixin: () => trace.getStore() ?? {},
  };
  const logger = openLogger(log);
  const progress = (event: ProgressEvent): void => logProgress(logger, event);
  const auth = await readSyncAuth(environment, options.auth, opened.secrets);
  const planner = await openPlanner(invocation, opened, {
    option: options.queue,
    auth,
    app: () => served.app,
  });
  const sync = await opened.openSyncPorts(progress, { extractsPerSource });
  const { project, readTenants } = opened;
  const served = createSyncApp(
    {
      project,
      readTenants,
      sync,
      redact,
      log,
      auth,
      trace,
      openPlanner: planner,
      appUrl: environment["LEAT_SERVICE_URL"] || undefined,
      build: (names, signal) => buildDatasets(invocation, opened, names, signal),
      share: (names, tenants, signal) => runChosenShares(opened, cwd, { names, tenants, progress, signal }),
    },
    {
      softDeadlineMs,
      steps: options.load && !isTransferred(opened) ? "both" : "extract",
      cloudProject: environment["GOOGLE_CLOUD_PROJECT"] || undefined,
    },
  );
  if (auth.mode === "none" && !loopback.test(options.host)) {
    logger.warn(
      `Whoever reaches ${options.host} may call: nobody is checked. Say --auth apikey, oidc or iam.`,
    );
  }
  const wasDrained = await serveSyncApp(
    served,
    {
      host: options.host,
      port,
      // A third to finish on their own; the rest for a page to end and a commit to be made.
      finishMs: drainMs / 3,
      drainMs,
      onListening: (url) =>
        logger.info({ url, streams: project.sources.length, auth: auth.mode }, `listening on ${url}`),
    },
    signal,
  );
  if (!wasDrained)
    logger.warn("Some runs did not reach a safe point in time; the next ones go on from the last commit.");
  return 0;
}
