/** `leat check`: is everything that a sync needs there? Asks no partner. */
import type { Command } from "commander";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Tenant } from "../ports/source.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { exitCodeOf, reportError } from "./report-error.ts";
import { printCount } from "./terminal.ts";

export function addCheck(program: Command, invocation: Invocation): void {
  const command = program
    .command("check")
    .summary("Check configuration, tenants and secrets without asking any partner.")
    .description(
      "Reads the configuration and the tenants, opens landing and warehouse, and looks up the secrets of every tenant. Sends no request.",
    )
    .action(async () => {
      invocation.finish(await check(invocation, command.optsWithGlobals<GlobalOptions>()));
    });
}

async function check(invocation: Invocation, options: GlobalOptions): Promise<ExitCode> {
  const [{ openProject }, { allStreams, streamName }] = await Promise.all([
    import("./open-project.ts"),
    import("../sync/choose.ts"),
  ]);
  const { terminal } = invocation;
  const opened = await openProject(invocation, options);
  const streams = allStreams(opened.project);
  const problems: LeatError[] = [];
  const tenants = await collect(problems, async () => opened.readTenants());
  await collect(problems, () => probeLanding(opened.store));
  await collect(problems, async () => (await opened.openWarehouse()).identity());
  if (tenants !== undefined) await openEveryStream(opened, tenants, problems, invocation.signal);
  const flows = await checkFlows(opened, problems);
  const summary = {
    config: opened.configPath,
    project: opened.project.name,
    landing: opened.landing.url,
    warehouse: opened.warehouse.url,
    streams: streams.map(streamName),
    datasets: opened.project.datasets.map(({ name }) => name),
    ledger: opened.ledger.url,
    flows,
    tenants: tenants?.length ?? 0,
  };
  if (options.json) {
    const told = problems.map((problem) => printErrorJson(problem, terminal.redact));
    terminal.out(`${JSON.stringify({ ok: problems.length === 0, ...summary, problems: told }, null, 2)}\n`);
  } else {
    terminal.out(
      `config     ${summary.config}\nlanding    ${summary.landing}\nwarehouse  ${summary.warehouse}\n`,
    );
    terminal.out(`tenants    ${printCount(summary.tenants)}\nstreams    ${summary.streams.join(", ")}\n`);
    if (summary.datasets.length > 0) terminal.out(`datasets   ${summary.datasets.join(", ")}\n`);
    if (flows.length > 0) terminal.out(`ledger     ${summary.ledger}\nflows      ${flows.join(", ")}\n`);
    if (problems.length === 0) terminal.out("All is well.\n");
  }
  for (const problem of problems) reportError(terminal, problem);
  return problems.length === 0 ? 0 : exitCodeOf(problems[0]);
}

/** Puts the flows together, and looks up what their notices and webhooks refer to. */
async function checkFlows(opened: OpenProject, problems: LeatError[]): Promise<readonly string[]> {
  const { readRegistry } = await import("./open-flows.ts");
  const registry = await collect(problems, async () => readRegistry(opened.project));
  const deployments = registry?.deployments ?? [];
  const references = deployments.flatMap(({ notify, triggers }) => [
    ...notify.flatMap((notice) =>
      notice.to === "mail"
        ? [notice.smtp]
        : [notice.url, ...("token" in notice && notice.token !== undefined ? [notice.token] : [])],
    ),
    ...triggers.flatMap((trigger) => {
      const match = trigger.on === "absence" ? trigger.of : trigger;
      return match.on === "webhook" ? [match.secret] : [];
    }),
  ]);
  for (const reference of new Set(references)) {
    await collect(problems, () => opened.secrets.resolve(reference));
  }
  return deployments.map(({ name }) => name);
}

/** An object that nothing else is called. */
const probeKey = "log/probe";

/** Reads and writes where a sync would, and leaves nothing there. */
async function probeLanding(store: ObjectStore): Promise<void> {
  for await (const _ of store.list("log/")) break;
  if (store.localPath(probeKey) === undefined) {
    // Buckets are not told of an object before there is enough of it, so that this one is made, and deleted as gc would.
    await store.create(probeKey, Buffer.from("leat check"));
    await store.delete(probeKey);
    return;
  }
  const writer = await store.openWriter(probeKey);
  try {
    await writer.write(Buffer.from("leat"));
  } finally {
    await writer.abort();
  }
}

/** Opens each stream for each tenant and has it look up what it needs; nothing is sent. */
async function openEveryStream(
  opened: OpenProject,
  known: readonly Tenant[],
  problems: LeatError[],
  signal: AbortSignal,
): Promise<void> {
  const { systemClock, systemRandom } = await import("./system-world.ts");
  const { secrets, places } = opened;
  const world = { clock: systemClock, random: systemRandom, secrets, places, progress: () => {} };
  const told = new Set<string>();
  const { choosePairs } = await import("../sync/choose-pairs.ts");
  for (const { source, spec, tenants } of choosePairs({ project: opened.project, tenants: known })) {
    const { name: stream } = spec;
    for (const tenant of tenants) {
      signal.throwIfAborted();
      const found: LeatError[] = [];
      for (const reference of referencesOf(tenant)) {
        await collect(found, () => opened.secrets.resolve(reference));
      }
      await collect(found, async () => {
        const reader = await (source.openFiles?.(stream, tenant, world) ??
          source.open(stream, tenant, world));
        try {
          if ("check" in reader) await reader.check?.();
        } finally {
          await reader.close();
        }
      });
      for (const problem of found) {
        // A missing secret is missing for every stream of the source: told once a tenant.
        const key = JSON.stringify([source.name, tenant.id, problem.code, problem.message]);
        if (!told.has(key)) problems.push(problem.at({ source: source.name, stream, tenant: tenant.id }));
        told.add(key);
      }
    }
  }
}

/** Fields of a tenant that refer to a secret. */
const referencesOf = (tenant: Tenant): string[] =>
  Object.values(tenant.fields).filter(
    (value): value is string => typeof value === "string" && /^(env|file|gcp-secret):/.test(value),
  );

/** Runs a step; what it fails with is noted, so that the other steps are still tried. */
async function collect<T>(problems: LeatError[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!isLeatError(error)) throw error;
    problems.push(error instanceof LeatError ? error : new LeatError((error as LeatError).code, error));
    return undefined;
  }
}
