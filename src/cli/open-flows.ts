/** Where flows meet their engines: the registry of the project's flows, the ledger, the dispatcher. */
import { userInfo } from "node:os";
import { refuseFaults } from "../errors/faults.ts";
import { withNewsTriggers } from "../flow/build-flow.ts";
import { createFlowRegistry, type Deployment, type FlowRegistry, toRecords } from "../flow/deployment.ts";
import { type Flow, isFlow } from "../flow/flow-context.ts";
import { withShareTriggers } from "../flow/share-flow.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Project, ProjectDeployment } from "../ports/project.ts";
import type { GlobalOptions, Invocation } from "./invocation.ts";
import { type OpenProject, openProject } from "./open-project.ts";
import { systemClock } from "./system-world.ts";

/** A project with its flows at hand. */
export type OpenFlows = Readonly<{ opened: OpenProject; registry: FlowRegistry; ledger: Ledger }>;

/** How a ledger is opened beside its address. */
export type LedgerOptions = Readonly<{
  /** Connections of this process, where the ledger is a server. Default 4. */
  connectionsMax?: number | undefined;
}>;

/**
 * Reads the project and opens its ledger, which is closed when the invocation ends. Neither the server nor a warehouse's
 * engine is loaded.
 *
 * @throws LeatError what is wrong with the configuration; `LEDGER_UNAVAILABLE` and its like.
 */
export async function openFlows(
  invocation: Invocation,
  options: GlobalOptions,
  ledgerOptions: LedgerOptions = {},
): Promise<OpenFlows> {
  const opened = await openProject(invocation, options);
  const registry = readRegistry(opened.project);
  const ledger = await openLedger(opened, ledgerOptions);
  invocation.atEnd(() => ledger.close());
  return { opened, registry, ledger };
}

/**
 * What the project can run.
 *
 * @throws LeatError `CONFIG_INVALID` when something in its lists was not made by `flow(...)` or `deployment(...)`.
 */
export function readRegistry(project: Project): FlowRegistry {
  const flows = project.flows.filter((flow): flow is Flow => isFlow(flow));
  const deployments = project.deployments.filter(isCheckedDeployment);
  const strange = [
    ...project.flows.filter((flow) => !isFlow(flow)).map(({ spec }) => `flows: ${spec.name}`),
    ...project.deployments
      .filter((one) => !isCheckedDeployment(one))
      .map(({ name }) => `deployments: ${name}`),
  ];
  refuseFaults(
    strange.map((path) => ({ path, problem: "was not made by this version of leat" })),
    "The project's flows",
  );
  return createFlowRegistry(
    withShareTriggers(withNewsTriggers(flows, project.datasets, project.sources), project.shares),
    deployments,
  );
}

function isCheckedDeployment(one: ProjectDeployment): one is Deployment {
  return "schedules" in one && "triggers" in one && isFlow({ spec: one.flow });
}

/** Opens the ledger that the configuration names; its engine is loaded now. */
export async function openLedger({ ledger }: OpenProject, options: LedgerOptions = {}): Promise<Ledger> {
  if (ledger.engine === "sqlite") {
    const { openSqliteLedger } = await import("../ledgers/sqlite/open-sqlite-ledger.ts");
    return openSqliteLedger(ledger.path, systemClock);
  }
  const { openPostgresLedger } = await import("../ledgers/postgres/open-postgres-ledger.ts");
  const { connectionString } = ledger;
  const { connectionsMax } = options;
  return openPostgresLedger({
    connectionString,
    clock: systemClock,
    ...(connectionsMax !== undefined && { connectionsMax }),
  });
}

/** Opens what brings runs to workers: of this machine, or of all that share the ledger. Closed when the invocation ends. */
export async function openDispatcher(
  invocation: Invocation,
  { opened, ledger }: OpenFlows,
): Promise<Dispatcher> {
  const dispatcher = await (async () => {
    if (opened.ledger.engine === "sqlite") {
      const { openLocalDispatcher } = await import("../dispatchers/local/open-local-dispatcher.ts");
      return openLocalDispatcher(ledger, systemClock);
    }
    const { openPgBossDispatcher } = await import("../dispatchers/pg-boss/open-pg-boss-dispatcher.ts");
    return openPgBossDispatcher({ connectionString: opened.ledger.connectionString, clock: systemClock });
  })();
  invocation.atEnd(() => dispatcher.close());
  return dispatcher;
}

/** Tells the ledger of the project's deployments and schedules as they are now. */
export async function publishDeployments({ opened, registry, ledger }: OpenFlows): Promise<void> {
  const facts = { codeVersion: opened.codeVersion, nowMs: ledger.nowMs() };
  const { deployments, schedules } = toRecords(registry, facts);
  await ledger.saveDeployments(deployments, schedules);
}

/** Who asks for something, for the ledger: the account of this machine. */
export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // A container may run under a number without a name.
  }
}

/** Folder of what leat keeps for the project beside the warehouse. */
export const stateFolder = (opened: OpenProject): string => opened.warehouse.stateFolder;
