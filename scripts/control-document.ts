/** The OpenAPI document of the control API, without a project: no route is called, so nothing stands behind them. */
import type { FastifyInstance } from "fastify";
import { createFlowRegistry } from "../src/flow/deployment.ts";
import { createControlApp } from "../src/server/control/control-app.ts";
import type { ControlPorts } from "../src/server/control/control-ports.ts";

const absent = (): never => {
  throw new Error("nobody calls a route of this API");
};

/** Something that a route would call, and nobody does. */
const unused = <Port extends object>(): Port => new Proxy({}, { get: () => absent }) as Port; // See above.

/** Builds the document, as `/api/openapi.json` answers it. */
export async function controlDocument(): Promise<ReturnType<FastifyInstance["swagger"]>> {
  const ports: ControlPorts = {
    project: { ...unusedProject, name: "project" },
    readTenants: absent,
    registry: createFlowRegistry([]),
    ledger: unused(),
    dispatcher: unused(),
    store: unused(),
    openWarehouse: absent,
    data: { openApi: absent, warm: absent, compare: absent, sqlEngine: absent },
    secrets: unused(),
    secretWriter: unused(),
    places: unused(),
    settings: { codeVersion: "", keepDays: 0, warehouse: "" },
    clock: unused(),
    random: unused(),
    redact: (text) => text,
    access: {
      tokens: [],
      oidc: undefined,
      readAssertion: undefined,
      roleOf: () => undefined,
      sessions: undefined,
      publicUrl: undefined,
      localName: "nobody",
    },
    ui: { folder: undefined, basePath: "" },
    version: "0",
    onProblem: absent,
  };
  const app = await createControlApp(ports);
  try {
    await app.ready();
    return app.swagger();
  } finally {
    await app.close();
  }
}

const unusedProject: ControlPorts["project"] = {
  name: "",
  sources: [],
  datasets: [],
  flows: [],
  deployments: [],
  apis: [],
  shares: [],
  tenantColumn: "tenant_id",
  tenants: undefined,
  landing: "",
  warehouse: "",
  load: "leat",
  ledger: "",
};
