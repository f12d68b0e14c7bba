/** Configuration, `.env` and environment, read once into one checked object. */
import { dirname, join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import type { Clock } from "../ports/world.ts";
import { type Environment, readDotenv } from "./environment.ts";
import { findConfig } from "./find-config.ts";
import { openGoogleSecrets } from "./google-secrets.ts";
import { importConfig } from "./import-config.ts";
import { type LedgerLocation, parseLedgerLocation } from "./ledger-location.ts";
import { readTenants } from "./read-tenants.ts";
import { type GuardedSecrets, openSecrets } from "./secrets.ts";
import { parseStoreLocation, type StoreLocation } from "./store-location.ts";
import { parseWarehouseLocation, type WarehouseLocation } from "./warehouse-location.ts";

/** Everything that configuration says; nothing is opened yet. */
export type LoadedProject = Readonly<{
  project: Project;
  /** The file it was read from. */
  configPath: string;
  /** Its folder: relative paths begin there. */
  folder: string;
  landing: StoreLocation;
  warehouse: WarehouseLocation;
  ledger: LedgerLocation;
  /** Names the project's code as it was read: `LEAT_CODE_VERSION`, else a hash of its files. */
  codeVersion: string;
  secrets: GuardedSecrets;
  /** Opens them once more, knowing none of their values: for a share, which may not see those of another. */
  openSecrets(): GuardedSecrets;
  /** How long another process's turn at the warehouse file is waited for, ms; `undefined`: the engine's default. */
  lockWaitMs: number | undefined;
  environment: Environment;
  /** Reads the tenants, anew with each call. */
  readTenants(): readonly Tenant[];
}>;

/** Where to look. */
export type LoadOptions = Readonly<{
  cwd: string;
  /** `--config`. */
  config: string | undefined;
  environment: Environment;
  /** For what is kept a while: secrets of Secret Manager. */
  clock: Clock;
}>;

/**
 * Finds and reads the project.
 *
 * `.env` beside the configuration is read first, so that the configuration itself may use it. `LEAT_LANDING`,
 * `LEAT_WAREHOUSE`, `LEAT_LEDGER` and `LEAT_TENANTS` override what the project says; their relative paths begin at the project's
 * folder, whatever the working directory is. `LEAT_LOCK_WAIT` is in seconds.
 *
 * @throws LeatError `CONFIG_MISSING`, `CONFIG_INVALID`, `NOT_SUPPORTED`.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const { environment, clock } = options;
  const configPath = findConfig(options.cwd, {
    option: options.config,
    variable: environment["LEAT_CONFIG"],
  });
  const folder = dirname(configPath);
  const dotenvPath = join(folder, ".env");
  readDotenv(dotenvPath, environment);
  const { project, codeHash } = await importConfig(configPath);
  const settle = (
    what: "landing" | "warehouse" | "ledger",
    variable: string,
  ): { url: string; from: string } => {
    const override = environment[variable];
    const isOverridden = override !== undefined && override !== "";
    return isOverridden
      ? { url: override, from: variable }
      : { url: project[what], from: `\`${what}\` of ${configPath}` };
  };
  const landing = settle("landing", "LEAT_LANDING");
  const warehouse = settle("warehouse", "LEAT_WAREHOUSE");
  const ledger = settle("ledger", "LEAT_LEDGER");
  const openProjectSecrets = (): GuardedSecrets =>
    openSecrets(
      environment,
      { folder, dotenvPath },
      openGoogleSecrets({ clock, url: environment["LEAT_SECRET_MANAGER_URL"] || undefined }),
    );
  return {
    project,
    configPath,
    folder,
    landing: parseStoreLocation(landing.url, "landing", landing.from, folder),
    warehouse: parseWarehouseLocation(warehouse.url, warehouse.from, folder),
    ledger: parseLedgerLocation(ledger.url, ledger.from, folder),
    codeVersion: environment["LEAT_CODE_VERSION"] || codeHash,
    secrets: openProjectSecrets(),
    openSecrets: openProjectSecrets,
    lockWaitMs: readLockWait(environment["LEAT_LOCK_WAIT"]),
    environment,
    readTenants: () =>
      readTenants({
        declared: project.tenants,
        variable: environment["LEAT_TENANTS"],
        folder,
        sources: project.sources,
      }),
  };
}

/** A day: whoever waits longer wants another warehouse file. */
const lockWaitSecondsMax = 86_400;

function readLockWait(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= lockWaitSecondsMax) return seconds * 1000;
  throw new LeatError("CONFIG_INVALID", {
    message: `LEAT_LOCK_WAIT "${text}" is not a number of seconds from 0 to ${lockWaitSecondsMax}.`,
    hint: "Write it as seconds, such as 300, or leave it out.",
  });
}
