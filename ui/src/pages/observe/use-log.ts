/** The log of a run: its lines near those in sight, and new ones as they happen, once per animation frame. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Line } from "../../api/types.gen.ts";
import { useLive } from "../../client/live.ts";
import { isChosen, type LogChoice, logLayoutQuery, readStretchOf } from "../../client/log-queries.ts";
import { LogStore } from "../../client/log-store.ts";

/** Lines that wait for the next frame at most: a tab in the background has no frames. */
const waitingMax = 5000;

const nobody = (): (() => void) => () => {};

export type Log = Readonly<{
  store: LogStore | undefined;
  error: unknown;
  /** Nothing more will come. */
  isOver: boolean;
}>;

/** @param isLive - whether the run is under way: one that was over and is retried writes on. */
export function useLog(runId: string, choice: LogChoice, isLive: boolean): Log {
  const { data: layout, error } = useQuery(logLayoutQuery(runId, choice));
  const store = useMemo(
    () => (layout === undefined ? undefined : new LogStore(layout, readStretchOf(runId, choice))),
    [layout, runId, choice],
  );
  useSyncExternalStore(
    useMemo(() => store?.subscribe.bind(store) ?? nobody, [store]),
    () => store?.version ?? 0,
  );
  const [isOver, setOver] = useState(false);
  const waiting = useRef<Line[]>([]);
  const frame = useRef(0);
  /** Newest line that came, whichever were chosen: the connection goes on after it. */
  const newest = useRef(0);
  useEffect(() => {
    newest.current = store?.lastId ?? 0;
    waiting.current = [];
    setOver(false);
    return () => cancelAnimationFrame(frame.current);
  }, [store]);
  useEffect(() => {
    if (isLive) setOver(false);
  }, [isLive]);
  const flush = (): void => {
    frame.current = 0;
    store?.append(waiting.current.splice(0).filter((line) => isChosen(choice, line)));
  };
  useLive(
    store === undefined || isOver ? undefined : `logs:${runId}`,
    (event) => {
      if (event["end"] === true) return setOver(true);
      const lines = (event["lines"] ?? []) as readonly Line[]; // As the API's description says of `/live`.
      newest.current = Math.max(newest.current, lines.at(-1)?.id ?? 0);
      waiting.current.push(...lines);
      if (waiting.current.length > waitingMax) flush();
      else if (frame.current === 0) frame.current = requestAnimationFrame(flush);
    },
    () => newest.current,
  );
  return { store, error, isOver };
}
