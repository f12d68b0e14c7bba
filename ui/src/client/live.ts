/**
 * What happens, as it happens: one connection per tab, whatever it shows. Browsers open six to one host, and a page that
 * holds several leaves none to the next tab.
 *
 * - `idle`: nobody listens, nothing is open.
 * - `connecting`: a connection is being opened for the first time, or for other topics.
 * - `open`: events come.
 * - `reconnecting`: it was lost; it is tried again until nobody listens any more, and goes on after the last event.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { createEventReader } from "./event-stream.ts";
import { readProblem } from "./problem.ts";
import { apiHref } from "./request.ts";

export type LiveState = "idle" | "connecting" | "open" | "reconnecting";

/** Something that happened. `data` has the shape that the topic has. */
export type LiveEvent = Readonly<{ topic: string; id: string | undefined; data: unknown }>;

type Listener = Readonly<{ topic: string; after: string | undefined; tell: (event: LiveEvent) => void }>;

/** Silence after which a connection counts as lost, ms: the server says a word each 15 s. */
const silenceMs = 35_000;

/** Pauses between tries, ms: the last one is kept. */
const pausesMs = [500, 1000, 2000, 5000];

/** How long topics are collected before the connection is opened anew, ms: a page names several at once. */
const settleMs = 30;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
const lastIds = new Map<string, string>();
let state: LiveState = "idle";
let current: AbortController | undefined;
let openTopics = "";
let settling: ReturnType<typeof setTimeout> | undefined;

function setState(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const watcher of watchers) watcher();
}

const topicsNow = (): readonly string[] => [...new Set([...listeners].map(({ topic }) => topic))].sort();

/** Listens until the function that is given back is called. */
export function listen(
  topic: string,
  after: string | undefined,
  tell: (event: LiveEvent) => void,
): () => void {
  const listener = { topic, after, tell };
  listeners.add(listener);
  if (after !== undefined && !lastIds.has(topic)) lastIds.set(topic, after);
  settle();
  return () => {
    listeners.delete(listener);
    if (!topicsNow().includes(topic)) lastIds.delete(topic);
    settle();
  };
}

function settle(): void {
  clearTimeout(settling);
  settling = setTimeout(() => {
    const topics = topicsNow();
    if (topics.join("\n") === openTopics) return;
    openTopics = topics.join("\n");
    current?.abort();
    current = undefined;
    if (topics.length === 0) setState("idle");
    else void follow(topics);
  }, settleMs);
}

async function follow(topics: readonly string[]): Promise<void> {
  const own = new AbortController();
  current = own;
  setState("connecting");
  for (let failures = 0; !own.signal.aborted; ) {
    const isGood = await readOnce(topics, own.signal).catch(() => false);
    if (own.signal.aborted) return;
    failures = isGood ? 0 : failures + 1;
    setState("reconnecting");
    await pause(pausesMs[Math.min(failures, pausesMs.length - 1)] ?? 1000, own.signal);
  }
}

/** @returns whether anything came before it ended. */
async function readOnce(topics: readonly string[], aborted: AbortSignal): Promise<boolean> {
  const lost = new AbortController();
  const signal = AbortSignal.any([aborted, lost.signal]);
  const lose = (): void => lost.abort();
  let silence = setTimeout(lose, silenceMs);
  addEventListener("offline", lose);
  let hasCome = false;
  try {
    const after = topics.flatMap((topic) => {
      const id = lastIds.get(topic);
      return id === undefined ? [] : [`${topic}=${id}`];
    });
    const answer = await fetch(apiHref("live", { topic: topics, after }), {
      credentials: "same-origin",
      headers: { accept: "text/event-stream" },
      signal,
    });
    if (!answer.ok || answer.body === null) throw await readProblem(answer);
    setState("open");
    const read = createEventReader();
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      hasCome = true;
      clearTimeout(silence);
      silence = setTimeout(lose, silenceMs);
      for (const event of read(piece)) {
        if (event.type !== "comment") tellAll(event.type, event.id, event.data);
      }
    }
    return hasCome;
  } finally {
    clearTimeout(silence);
    removeEventListener("offline", lose);
    lost.abort(); // A body that is not read to its end holds its connection.
  }
}

function tellAll(topic: string, id: string | undefined, text: string): void {
  if (id !== undefined) lastIds.set(topic, id);
  const data: unknown = JSON.parse(text);
  for (const listener of listeners) if (listener.topic === topic) listener.tell({ topic, id, data });
}

const pause = (ms: number, aborted: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener("online", done);
      aborted.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    aborted.addEventListener("abort", done);
  });

export const useLiveState = (): LiveState =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => state,
  );

/** Tells of a topic while the component is shown; `undefined`: of nothing. `after`: where to begin. */
export function useLive(
  topic: string | undefined,
  tell: (event: LiveEvent) => void,
  after?: string | undefined,
): void {
  const newest = useRef(tell);
  newest.current = tell;
  const start = useRef(after);
  start.current = after;
  useEffect(() => {
    if (topic === undefined) return;
    return listen(topic, start.current, (event) => newest.current(event));
  }, [topic]);
}
