/** The time, told to all who show it at once: one timer for the tab, and none while nobody looks. */
import { useSyncExternalStore } from "react";

const tickMs = 1000;

let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // While nobody looked it stood still: what has just happened would be in the future.
  if (timer === undefined) nowMs = Date.now();
  timer ??= setInterval(() => {
    if (document.hidden) return;
    nowMs = Date.now();
    for (const one of listeners) one();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Epoch ms, new each second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);
