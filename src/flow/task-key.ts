/** What a task's result is found by (F4): what was asked, and not when. */
import { hash } from "node:crypto";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { canonicalJson } from "./encode-value.ts";

/** Characters of arguments that are hashed; larger ones want a key, because a run computes it at every attempt. */
const argumentsLengthMax = 4 * 1024 * 1024;

/** Characters of a key as it is shown; longer ones are cut and hashed. */
const keyLengthMax = 120;

/** Hex digits of a hash: 128 bits. */
const hashDigits = 32;

const shortHash = (text: string): string => hash("sha256", text).slice(0, hashDigits);

/**
 * Names what a task is asked: its own key, or the hash of its arguments.
 *
 * @param ownKey - what the task's `key` made of the arguments; `undefined`: it has none.
 * @throws LeatError `TASK_KEY_NEEDED`.
 */
export function askedKey(taskName: string, ownKey: string | undefined, args: readonly unknown[]): string {
  if (ownKey !== undefined) return printKey(ownKey);
  if (args.length === 0) return "";
  let text: string;
  try {
    // Trailing arguments that were left out are the same call as those that were given as `undefined`.
    text = canonicalJson(withoutTail(args), `An argument of task "${taskName}"`);
  } catch (error) {
    if (!isLeatError(error)) throw error;
    throw new LeatError("TASK_KEY_NEEDED", {
      message: error.message,
      details: { task: taskName },
      cause: error,
    });
  }
  if (text.length > argumentsLengthMax) {
    throw new LeatError("TASK_KEY_NEEDED", {
      message: `The arguments of task "${taskName}" are ${text.length} characters of JSON; ${argumentsLengthMax} are hashed.`,
      details: { task: taskName },
    });
  }
  return shortHash(text);
}

function withoutTail(args: readonly unknown[]): readonly unknown[] {
  const last = args.findLastIndex((arg) => arg !== undefined);
  return args.slice(0, last + 1);
}

/** A key in one line of bounded length, distinct for distinct keys. */
function printKey(key: string): string {
  const isPlain = key.length <= keyLengthMax && key.isWellFormed() && !/[\p{Cc}]/u.test(key);
  return isPlain ? key : `${key.slice(0, 40).replace(/[^ -~]/g, "?")}~${shortHash(key)}`;
}

/** Counts equal calls of one attempt. */
export function createCallCounter(): (asked: string) => number {
  const counts = new Map<string, number>();
  return (asked) => {
    const number = (counts.get(asked) ?? 0) + 1;
    counts.set(asked, number);
    return number;
  };
}
