/** The control API over a ledger in a folder of its own, and a worker in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { systemClock, systemRandom } from "../../src/cli/system-world.ts";
import { defineProject } from "../../src/define/define-project.ts";
import { openLocalDispatcher } from "../../src/dispatchers/local/open-local-dispatcher.ts";
import { createFlowRegistry, toRecords } from "../../src/flow/deployment.ts";
import { flow } from "../../src/flow/flow.ts";
import type { Flow } from "../../src/flow/flow-context.ts";
import { createLimitGates } from "../../src/flow/limit-gates.ts";
import { createLocalExecutor } from "../../src/flow/run-executor.ts";
import { task } from "../../src/flow/task.ts";
import { cancelledError, startWorker } from "../../src/flow/worker.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { newWorkerId, toFlowRunId } from "../../src/model/run-ids.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { ShareSpec } from "../../src/ports/share.ts";
import type { Source, Tenant } from "../../src/ports/source.ts";
import type { Access } from "../../src/server/access/access.ts";
import { Sessions } from "../../src/server/access/sessions.ts";
import { createControlApp } from "../../src/server/control/control-app.ts";
import type { ControlPorts } from "../../src/server/control/control-ports.ts";
import { createMemoryStore } from "../../src/testing/index.ts";

export const token = "a-token-for-tests";

const find = task("find", {}, async () => ["a", "b", "c"]);
const fetchOne = task("fetch", {}, async (ctx, name: string) => {
  ctx.log.info(`fetches ${name}`);
  return name.toUpperCase();
});
const publish = task(
  "publish",
  { consumes: ["stream:alphabet.letters"], produces: ["dataset:d"] },
  async (_ctx, names: readonly string[]) => names.join(""),
);
const wait = task("wait", {}, (ctx) => systemClock.sleep(60_000, ctx.signal));

const letters = flow(
  "letters",
  {
    params: z.object({ times: z.int().max(5).default(1) }),
    schedules: [{ every: "1d", from: "2026-01-01T06:00:00Z" }],
  },
  async (ctx) => {
    const found = await find(ctx);
    const got = await ctx.map(found, (name) => fetchOne(ctx, name), { concurrency: 1 });
    await ctx.artifact.markdown("letters", got.join(", "));
    return publish(ctx, got);
  },
);
const endless = flow("endless", {}, (ctx) => wait(ctx));

/** What an injected request was answered. */
export type Answer = Awaited<ReturnType<FastifyInstance["inject"]>>;

/** An API under test. */
export type ApiStand = Readonly<{
  app: FastifyInstance;
  ports: ControlPorts;
  /** Gives an answer back when it is what the API's own description says of it. */
  checked: (method: string, url: string, answer: Answer) => Answer;
  ledger: Ledger;
  /** Its file. */
  ledgerPath: string;
  /** Makes a run and waits until it is over. */
  run(deployment: string): Promise<string>;
  problems: readonly unknown[];
}>;

/** What a test says of the API; what it leaves out is empty. */
export type StandOptions = Readonly<{
  token?: string | undefined;
  /** In place of who has the token. */
  access?: Access;
  flows?: readonly Flow[];
  sources?: readonly Source[];
  tenants?: readonly string[];
  /** What `tenants.json` would say of each of them. */
  tenantFields?: Tenant["fields"];
  shares?: readonly ShareSpec[];
  store?: ObjectStore;
  data?: ControlPorts["data"];
  secrets?: ControlPorts["secrets"];
  secretWriter?: ControlPorts["secretWriter"];
  openWarehouse?: ControlPorts["openWarehouse"];
  uiFolder?: URL;
  basePath?: string;
}>;

/** Who may do what: whoever has the token, everything; without one, this machine. */
export function openAccess(text: string | undefined): Access {
  return {
    tokens: text === undefined ? [] : [{ text, role: "admin" }],
    oidc: undefined,
    readAssertion: undefined,
    roleOf: () => undefined,
    sessions: text === undefined ? undefined : new Sessions(text, systemClock, false),
    publicUrl: undefined,
    localName: "somebody",
  };
}

/** Opens the API, calls, and closes all of it. */
export async function withApi(
  call: (stand: ApiStand) => Promise<void>,
  options: StandOptions = { token },
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-control-"));
  const ledgerPath = join(folder, "ledger.db");
  const ledger = await openSqliteLedger(ledgerPath, systemClock);
  const dispatcher = openLocalDispatcher(ledger, systemClock);
  const flows = [letters, endless, ...(options.flows ?? [])];
  const registry = createFlowRegistry(flows);
  const records = toRecords(registry, { codeVersion: "test", nowMs: ledger.nowMs() });
  await ledger.saveDeployments(records.deployments, records.schedules);
  const workerId = newWorkerId();
  const world = {
    ledger,
    clock: systemClock,
    fraction: Math.random,
    results: undefined,
    redact: (text: string) => text,
    codeVersion: "test",
    workerId,
    waits: "suspend" as const,
    tell: () => {},
    gates: createLimitGates(),
    live: new Map(),
  };
  const problems: unknown[] = [];
  const onProblem = (error: unknown): void => void problems.push(error);
  const executor = createLocalExecutor(world, registry, () => cancelledError(toFlowRunId("a sub-flow")));
  const worker = await startWorker(
    { ledger, dispatcher, clock: systemClock, executor, onProblem },
    { id: workerId, pools: ["default"], slots: 2, codeVersion: "test" },
  );
  const ports: ControlPorts = {
    project: defineProject({
      name: "api",
      flows,
      sources: options.sources ?? [],
      shares: options.shares ?? [],
    }),
    readTenants: () =>
      (options.tenants ?? []).map((id) => ({ id: toTenantId(id), fields: options.tenantFields ?? {} })),
    registry,
    ledger,
    dispatcher,
    store: options.store ?? createMemoryStore(),
    openWarehouse: options.openWarehouse ?? (() => Promise.reject(new Error("the project has no streams"))),
    data: options.data ?? {
      openApi: () => Promise.reject(new Error("the project has no datasets")),
      compare: () => Promise.reject(new Error("the project has no datasets")),
      warm: () => {},
      sqlEngine: () => undefined,
    },
    secrets: options.secrets ?? { resolve: async (reference) => `secret of ${reference}` },
    secretWriter: options.secretWriter,
    places: {
      resolvePath: (path) => path,
      openStore: () => Promise.reject(new Error("the project has no other store")),
    },
    settings: { codeVersion: "test", keepDays: 90, warehouse: "duckdb:warehouse.duckdb" },
    clock: systemClock,
    random: systemRandom,
    redact: (text) => text.replaceAll(token, "[token]"),
    access: options.access ?? openAccess(options.token),
    ui: { folder: options.uiFolder, basePath: options.basePath ?? "" },
    version: "0.0.0",
    onProblem,
  };
  const app = await createControlApp(ports);
  const run: ApiStand["run"] = async (deployment) => {
    const headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    const answer = await app.inject({ method: "POST", url: `/api/deployments/${deployment}/runs`, headers });
    const { id } = answer.json<{ run: { id: string } }>().run;
    for (;;) {
      const found = await ledger.readRun(toFlowRunId(id));
      if (found?.endedAtMs !== null && found !== undefined) return id;
      await systemClock.sleep(20, new AbortController().signal);
    }
  };
  try {
    await app.ready();
    await call({ app, ports, checked: openAnswerCheck(app), ledger, ledgerPath, run, problems });
  } finally {
    await app.close();
    await worker.stop();
    await dispatcher.close();
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Described = Readonly<Record<string, Readonly<{ content?: Readonly<Record<string, unknown>> }>>>;
type Document = Readonly<{
  paths: Readonly<Record<string, Readonly<Record<string, Readonly<{ responses: Described }>>>>>;
}>;

/** Compares answers with the description that clients are made of. */
function openAnswerCheck(app: FastifyInstance): ApiStand["checked"] {
  const document = JSON.parse(JSON.stringify(app.swagger())) as Document; // As it is served.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "api");
  const toPointer = (name: string): string =>
    encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
  return (method, url, answer) => {
    const [asked = ""] = url.split("?");
    const isThere = Object.hasOwn(document.paths, asked); // `/runs/counts`, and not a run of that name.
    const path = Object.keys(document.paths).find((one) =>
      isThere ? one === asked : new RegExp(`^${one.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`).test(asked),
    );
    const verb = method.toLowerCase();
    const responses = path === undefined ? undefined : document.paths[path]?.[verb]?.responses;
    if (path === undefined || responses === undefined) return answer; // There is no such route, which is its own test.
    const { statusCode } = answer;
    const status = [String(statusCode), `${Math.floor(statusCode / 100)}XX`].find((one) => one in responses);
    const type = String(answer.headers["content-type"]).split(";")[0] ?? "";
    const isDescribed = status !== undefined && type in (responses[status]?.content ?? {});
    if (!isDescribed) throw new Error(`${method} ${url}: an answer ${statusCode} ${type} is not described`);
    const pointer = ["paths", path, verb, "responses", status, "content", type, "schema"]
      .map(toPointer)
      .join("/");
    const validate = ajv.getSchema(`api#/${pointer}`) ?? ajv.compile({ $ref: `api#/${pointer}` });
    if (validate(answer.json())) return answer;
    throw new Error(`${method} ${url}: ${ajv.errorsText(validate.errors)}\n${answer.body.slice(0, 2000)}`);
  };
}
