/** Shares of the tenants, so that several processes do a long back-fill together. */
import { hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { Invocation } from "./invocation.ts";

/** Share `index` of `count`, from 0. */
export type Shard = Readonly<{ index: number; count: number }>;

/** Tasks of one job of Cloud Run. */
const countMax = 10_000;

/**
 * Reads `--shard 0/4`, else what Cloud Run tells a task of a job (`CLOUD_RUN_TASK_INDEX`, `CLOUD_RUN_TASK_COUNT`).
 *
 * @returns `undefined`: all tenants.
 * @throws LeatError `USAGE`.
 * @see https://docs.cloud.google.com/run/docs/container-contract
 */
export function readShard(
  option: string | undefined,
  environment: Invocation["environment"],
): Shard | undefined {
  const { CLOUD_RUN_TASK_INDEX: taskIndex, CLOUD_RUN_TASK_COUNT: taskCount } = environment;
  const isTask = taskIndex !== undefined && taskCount !== undefined;
  const text = option ?? (isTask ? `${taskIndex}/${taskCount}` : undefined);
  if (text === undefined) return undefined;
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.count >= 1 && shard.count <= countMax && shard.index < shard.count) {
    return shard.count === 1 ? undefined : shard;
  }
  throw new LeatError("USAGE", {
    message: `The share "${text}" is not a number below another, such as 0/4.`,
    hint: `Shares are counted from 0; there are at most ${countMax}.`,
  });
}

/**
 * Whether a tenant is in a share. By a hash of its id and not by its place in the list: each task reads the list for
 * itself, and one that changed in between would leave tenants out. So shares are even only where there are many.
 */
export const isInShard = (id: string, { index, count }: Shard): boolean =>
  Number.parseInt(hash("sha256", id, "hex").slice(0, 8), 16) % count === index;
