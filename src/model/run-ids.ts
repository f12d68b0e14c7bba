/** Ids of flow runs and workers, branded so that one is never taken for another. */
import { randomBytes } from "node:crypto";

declare const brand: unique symbol;

/** **flow run** one execution of a flow, made of attempts. Its id is 16 characters of `[0-9a-f]`. */
export type FlowRunId = string & { readonly [brand]: "FlowRunId" };
/** **worker** a process that claims flow runs and executes them. */
export type WorkerId = string & { readonly [brand]: "WorkerId" };

/** Takes text of the ledger, or of a person who names a run, as a run's id. */
export const toFlowRunId = (text: string): FlowRunId => text as FlowRunId;
/** Takes text of the ledger as a worker's id. */
export const toWorkerId = (text: string): WorkerId => text as WorkerId;

/** A new random id: 64 bits, so that a billion runs collide with a chance of 3 %, and then the second is refused. */
export const newFlowRunId = (): FlowRunId => randomBytes(8).toString("hex") as FlowRunId;
/** A new random id for this process's work. */
export const newWorkerId = (): WorkerId => randomBytes(8).toString("hex") as WorkerId;
