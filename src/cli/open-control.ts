/** What the control API of `leat up` works with. */
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { ControlPorts } from "../server/control/control-ports.ts";
import type { OpenFlows } from "./open-flows.ts";
import { readVersion } from "./read-version.ts";
import { systemClock } from "./system-world.ts";

/** @param token - what requests must bring; `undefined`: nothing. */
export function openControlPorts(
  { opened, registry, ledger }: OpenFlows,
  dispatcher: Dispatcher,
  token: string | undefined,
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
    clock: systemClock,
    redact: (text) => secrets.redact(text),
    token,
    version: readVersion(),
    onProblem,
  };
}
