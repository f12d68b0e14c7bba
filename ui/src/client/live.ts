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
import { apiHref, tellSignedOut } from "./request.ts";

export type LiveState = "idle" | "connecting" | "open" | "reconnecting";

/** Something that happened to a topic: what it holds is written in the API's description of `/live`. */
export type LiveEvent = Readonly<Record<string, unknown>>;

type Listener = Readonly<{
  topic: string;
  /** After which line or event a connection that is opened now begins. */
  place: () => number | undefined;
  tell: (event: LiveEvent) => void;
}>;

/** Silence after which a connection counts as lost, ms: the server says a word each 15 s. */
const silenceMs = 35_000;

/** Pauses between tries, ms: the last one is kept. */
const pausesMs = [500, 1000, 2000, 5000];

/** How long topics are collected before the connection is opened anew, ms: a page names several at once. */
const settleMs = 30;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
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
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  settle();
  return () => {
    listeners.delete(listener);
    settle();
  };
}

/** A topic and where it goes on: the least of what its listeners have. */
function placed(topic: string): string {
  const places = [...listeners].filter((one) => one.topic === topic).map(({ place }) => place());
  const known = places.filter((place) => place !== undefined);
  return known.length === 0 || known.length < places.length ? topic : `${topic}@${Math.min(...known)}`;
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
    const answer = await fetch(apiHref("live", { topics: topics.map(placed).join(",") }), {
      credentials: "same-origin",
      headers: { accept: "text/event-stream" },
      signal,
    });
    if (answer.status === 401) tellSignedOut(); // Whoever only watches asks nothing else.
    if (!answer.ok || answer.body === null) throw await readProblem(answer);
    setState("open");
    const read = createEventReader();
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      hasCome = true;
      clearTimeout(silence);
      silence = setTimeout(lose, silenceMs);
      for (const event of read(piece)) {
        if (event.type === "message") tellAll(event.data);
      }
    }
    return hasCome;
  } finally {
    clearTimeout(silence);
    removeEventListener("offline", lose);
    lost.abort(); // A body that is not read to its end holds its connection.
  }
}

function tellAll(text: string): void {
  const event = JSON.parse(text) as LiveEvent; // Objects, each with its topic.
  const named = String(event["topic"]).split("@")[0]; // Where it began says nothing of what it is.
  for (const { topic, tell } of listeners) if (topic === named) tell(event);
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

/** Tells of a topic while the component is shown; `undefined`: of nothing. `place`: see `listen`. */
export function useLive(
  topic: string | undefined,
  tell: (event: LiveEvent) => void,
  place?: () => number | undefined,
): void {
  const newest = useRef({ tell, place });
  newest.current = { tell, place };
  useEffect(() => {
    if (topic === undefined) return;
    return listen({
      topic,
      tell: (event) => newest.current.tell(event),
      place: () => newest.current.place?.(),
    });
  }, [topic]);
}
