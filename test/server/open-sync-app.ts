/** The sync app over scripted stages, for tests. */
import type { ExtractJob, ExtractOutcome } from "../../src/extract/extract-job.ts";
import type { WorkSchedule } from "../../src/flow/ready-made.ts";
import type { LoadStream } from "../../src/load/load-outcome.ts";
import type { Project } from "../../src/ports/project.ts";
import type { TaskQueue } from "../../src/ports/task-queue.ts";
import type { AuthOptions } from "../../src/server/sync/authenticate.ts";
import type { WorkPorts } from "../../src/server/sync/work-routes.ts";
import { createSyncApp, openTraceStore, type SyncApp } from "../../src/server/sync-app.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";
import { fakePorts, fakeSource, fakeTenants } from "./fake-stages.ts";

/** What a test says of the app; what it leaves out is usual. */
export type AppSetup = {
  extract?: (job: ExtractJob, signal: AbortSignal) => Promise<ExtractOutcome>;
  load?: LoadStream;
  tenants?: string[];
  isGoogleCloud?: boolean;
  softDeadlineMs?: number;
  auth?: AuthOptions;
  steps?: "extract" | "both";
  queue?: TaskQueue;
  schedules?: readonly WorkSchedule[];
  appUrl?: string;
  build?: WorkPorts["build"];
  share?: WorkPorts["share"];
};

/** The app, what it has logged, its tenants, and what its stages did. */
export type OpenedApp = SyncApp & {
  logs: Record<string, unknown>[];
  tenants: string[];
  trace: string[];
  clock: FakeClock;
};

/** A project of two sources; `orders` is a stream of both. */
export function openSyncApp(setup: AppSetup = {}): OpenedApp {
  const { source: shop } = fakeSource("shop", { orders: undefined, items: "orders" });
  const { source: bank } = fakeSource("bank", { orders: undefined, entries: undefined });
  const { ports, trace, clock } = fakePorts(setup);
  const project: Project = {
    name: "test",
    sources: [shop, bank],
    datasets: [],
    flows: [],
    deployments: [],
    load: "leat",
    ledger: "sqlite:.leat/ledger.db",
    apis: [],
    shares: [],
    tenantColumn: "tenant_id",
    tenants: undefined,
    landing: "",
    warehouse: "",
  };
  const logs: Record<string, unknown>[] = [];
  const tenants = setup.tenants ?? ["414", "415"];
  const redact = (text: string): string => text.replaceAll("hunter2", "[secret env:KEY]");
  const traces = openTraceStore();
  const { queue, schedules = [] } = setup;
  const app = createSyncApp(
    {
      project,
      readTenants: () => fakeTenants(...tenants),
      sync: ports,
      redact,
      log: {
        destination: { write: (line) => void logs.push(JSON.parse(line)) },
        level: "debug",
        isGoogleCloud: setup.isGoogleCloud === true,
        redact,
        mixin: () => traces.getStore() ?? {},
      },
      auth: setup.auth ?? { mode: "none" },
      trace: traces,
      openPlanner: queue === undefined ? undefined : async () => ({ queue, schedules }),
      appUrl: setup.appUrl,
      build: setup.build ?? (async () => []),
      share: setup.share ?? (async () => []),
    },
    { softDeadlineMs: setup.softDeadlineMs, steps: setup.steps ?? "both", cloudProject: "my-project" },
  );
  return { ...app, logs, tenants, trace, clock };
}
