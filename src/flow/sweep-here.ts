/** Finds runs whose process is gone, for commands: without a worker nobody else would. */
import type { Ledger, Swept } from "../ports/ledger.ts";
import { isDeadHere, readHost } from "./host-identity.ts";

/** Takes the runs of dead processes away from them (F12): those of this machine at once, others' after their lease. */
export function sweepHere(ledger: Ledger): Promise<Swept> {
  const host = readHost();
  return ledger.sweepLost((worker) => isDeadHere(worker, host));
}
