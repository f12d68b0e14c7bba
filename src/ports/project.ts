/** What a project is: made by `defineProject`, read by `config`, acted on by `sync`. */
import type { JsonObject } from "../model/json-value.ts";
import type { ApiSpec } from "./api-spec.ts";
import type { DatasetSpec } from "./dataset.ts";
import type { ShareSpec } from "./share.ts";
import type { Source } from "./source.ts";

/** A tenant as a person writes it: an id, and whatever the sources ask of it. */
export type TenantDeclaration = Readonly<{ id: string }> & JsonObject;

/** A flow as a project sees it: a name. What else it is, `flow/` knows, which made it. */
export type ProjectFlow = Readonly<{ spec: Readonly<{ name: string }> }>;

/** A deployment as a project sees it. */
export type ProjectDeployment = Readonly<{ name: string; flow: Readonly<{ name: string }> }>;

/** What `defineProject` takes. */
export type ProjectDeclaration = Readonly<{
  /** The project's name, for logs and messages. */
  name: string;
  /**
   * The sources to read, each made by `rest(...)`, `files(...)` or `defineSource(...)`. Their names must differ. A project
   * that has flows needs none.
   */
  sources?: readonly Source[];
  /** What runs, by hand or by itself, each made by `flow(...)`, `syncFlow(...)` or `buildFlow(...)`. */
  flows?: readonly ProjectFlow[];
  /** Flows once more, with parameters or schedules of their own, each made by `deployment(...)`. */
  deployments?: readonly ProjectDeployment[];
  /** What is built out of them, each made by `defineDataset(...)`. Their names must differ. */
  datasets?: readonly DatasetSpec[];
  /**
   * How datasets are served by `leat serve`, each made by `defineApi(...)`. Their names must differ. Without any, all
   * datasets are served that hold no rows of tenants, with the addresses that every dataset has.
   */
  apis?: readonly ApiSpec[];
  /** Which of their own rows customers get, and where, each made by `defineShare(...)`. Their names must differ. */
  shares?: readonly ShareSpec[];
  /**
   * Column that leat splices in front of every landed record, holding the tenant's id. Default `tenant_id`. Choose
   * another when the partner's records have a field of that name: such records are quarantined, never believed.
   */
  tenantColumn?: string;
  /**
   * The accounts to read the sources for: a JSON file (path from the project's folder), or the list itself. Default
   * `tenants.json`; when neither is configured nor there, the project has one tenant, `default`.
   * `LEAT_TENANTS` overrides it.
   */
  tenants?: string | readonly TenantDeclaration[];
  /** Where raw files and the log are kept. Default `file:.leat/landing`. `LEAT_LANDING` overrides it. */
  landing?: string;
  /** Where tables are loaded. Default `duckdb:.leat/warehouse.duckdb`. `LEAT_WAREHOUSE` overrides it. */
  warehouse?: string;
  /**
   * Who loads into BigQuery. `leat` (default): load jobs and a ledger, each row once. `dts`: Google's Data Transfer
   * Service, set up by `leat deploy`; every 15 minutes at most, declared columns alone, and rows of a file that was touched
   * twice in the landing table, which the views leave out. `defineProject` refuses streams for which that would be wrong.
   * Another warehouse than BigQuery is loaded by leat in each case.
   */
  load?: "leat" | "dts";
  /**
   * Where runs of flows are kept: `sqlite:PATH` for one machine, `postgres://…` for many. Default
   * `sqlite:.leat/ledger.db`. `LEAT_LEDGER` overrides it, and is the place for an address with a password.
   */
  ledger?: string;
}>;

/** A checked, complete, frozen project. */
export type Project = Readonly<{
  name: string;
  sources: readonly Source[];
  datasets: readonly DatasetSpec[];
  flows: readonly ProjectFlow[];
  deployments: readonly ProjectDeployment[];
  apis: readonly ApiSpec[];
  shares: readonly ShareSpec[];
  tenantColumn: string;
  /** `undefined`: nothing was configured; `tenants.json` is read where it exists. */
  tenants: string | readonly TenantDeclaration[] | undefined;
  landing: string;
  warehouse: string;
  load: "leat" | "dts";
  ledger: string;
}>;

/** Where a project keeps its things when it does not say. */
export const projectDefaults = {
  tenantColumn: "tenant_id",
  tenants: "tenants.json",
  landing: "file:.leat/landing",
  warehouse: "duckdb:.leat/warehouse.duckdb",
  ledger: "sqlite:.leat/ledger.db",
} as const;
