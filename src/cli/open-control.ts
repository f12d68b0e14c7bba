/** What the control API of `leat up` works with. */
import { join } from "node:path";
import { openDotenvSecrets } from "../config/dotenv-secrets.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { ControlPorts } from "../server/control/control-ports.ts";
import type { OpenFlows } from "./open-flows.ts";
import { readVersion } from "./read-version.ts";
import { systemClock, systemRandom } from "./system-world.ts";

/** @param access - who may do what. @param ui - where the console lies and stands. @param data - its datasets. */
export function openControlPorts(
  { opened, registry, ledger }: OpenFlows,
  dispatcher: Dispatcher,
  { access, ui, data, keepDays }: Pick<ControlPorts, "access" | "ui" | "data"> & { keepDays: number },
  onProblem: (error: unknown) => void,
): ControlPorts {
  const { project, store, secrets, readTenants, openWarehouse } = opened;
  return {
    project,
    readTenants,
    registry,
    ledger,
    dispatcher,
    store,
    openWarehouse,
    secrets,
    secretWriter: openDotenvSecrets(opened.environment, join(opened.folder, ".env")),
    places: opened.places,
    settings: { codeVersion: opened.codeVersion, keepDays, warehouse: opened.warehouse.url },
    clock: systemClock,
    random: systemRandom,
    redact: (text) => secrets.redact(text),
    data,
    access,
    ui,
    version: readVersion(),
    onProblem,
  };
}
