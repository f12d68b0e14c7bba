/** Ports whose every operation is a turn of a simulated process, and may fail as the interleaving says. */
import { LeatError } from "../../src/errors/leat-error.ts";
import {
  type InterposeWarehouse,
  isStoreWrite,
  type StoreOperation,
  storeFault,
} from "../../src/testing/index.ts";
import type { Action, Process } from "./interleaving.ts";

/** A request to the partner, or its answer. */
export const sourceAction = (label: string): Action => ({
  label,
  isWrite: false,
  fault: (what) =>
    new LeatError("SOURCE_FAILED", { message: `${label}: ${what} (a fault made for a test).` }),
});

/** Operations between which nobody could tell a death apart. */
const quiet = new Set(["write", "openWriter", "abort", "nowMs"]);

/** Puts a process's turns and faults before each operation of a store. */
export const interposeStore =
  (process: Process) =>
  async <T>(operation: StoreOperation, effect: () => T): Promise<T> => {
    if (quiet.has(operation.kind)) return effect();
    const label = `${operation.kind} ${operation.key.replace("partner/records/", "")}`;
    return process.act(
      { label, isWrite: isStoreWrite(operation), fault: (what) => storeFault(operation, what) },
      effect,
    );
  };

/** The same before each operation of a warehouse. */
export const interposeWarehouse = (process: Process): InterposeWarehouse => {
  return (operation, effect) =>
    process.act(
      {
        label: operation.at,
        isWrite: operation.kind === "load" || operation.kind === "identity",
        fault: (what) => new LeatError("WAREHOUSE_LOCKED", { message: `${operation.at}: ${what}.` }),
      },
      effect,
    );
};
