/** Queries that this browser remembers: those that were run, newest first, and those that people gave a name. */
import { useSyncExternalStore } from "react";

export type SavedQuery = Readonly<{ name: string; text: string }>;
export type RunQuery = Readonly<{ text: string; at: number }>;
type Memory = Readonly<{ history: readonly RunQuery[]; saved: readonly SavedQuery[] }>;

const key = "leat.queries";
/** Queries of each kind; older ones are forgotten, since browsers keep some megabytes in all. */
const historyMax = 100;
const savedMax = 200;

const listeners = new Set<() => void>();
let memory: Memory | undefined;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** What another version has kept is read as far as it can be. */
function read(): Memory {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (!isRecord(kept)) return { history: [], saved: [] };
    const listed = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
      Array.isArray(value) ? value.filter(isRecord) : [];
    return {
      history: listed(kept["history"]).map((one) => ({ text: String(one["text"]), at: Number(one["at"]) })),
      saved: listed(kept["saved"]).map((one) => ({ name: String(one["name"]), text: String(one["text"]) })),
    };
  } catch {
    return { history: [], saved: [] };
  }
}

const current = (): Memory => {
  memory ??= read();
  return memory;
};

function write(next: Memory): void {
  memory = next;
  try {
    localStorage.setItem(key, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing has them until the page is left.
  }
  for (const listener of listeners) listener();
}

export function rememberRun(text: string): void {
  const { history, saved } = current();
  const others = history.filter((one) => one.text !== text);
  write({ saved, history: [{ text, at: Date.now() }, ...others].slice(0, historyMax) });
}

export function saveQuery(name: string, text: string): void {
  const { history, saved } = current();
  const others = saved.filter((one) => one.name !== name);
  write({ history, saved: [{ name, text }, ...others].slice(0, savedMax) });
}

export function forgetQuery(name: string): void {
  const { history, saved } = current();
  write({ history, saved: saved.filter((one) => one.name !== name) });
}

export const useQueryMemory = (): Memory =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
