/** One run as it stands: asked once, then told of each move. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { GetApiRunsByIdResponse, Run, Task } from "../../api/types.gen.ts";
import { useLive } from "../../client/live.ts";
import { runQuery } from "../../client/run-queries.ts";

/** How often the graph is asked again at most, ms: the server lays it out. */
const againMs = 1000;

const ended = ["succeeded", "failed", "cancelled", "skipped"];

/** Whether a run is over, until somebody retries it. */
export const isEnded = (run: Pick<Run, "state">): boolean => ended.includes(run.state);

type Told = Readonly<{ run: Run; tasks: readonly Task[]; task_count: number }>;

function merge(before: GetApiRunsByIdResponse, told: Told): GetApiRunsByIdResponse {
  const moved = new Map(told.tasks.map((task) => [task.key, task]));
  const known = before.tasks.map((task) => {
    const next = moved.get(task.key) ?? task;
    moved.delete(task.key);
    return next;
  });
  return { ...before, run: told.run, task_count: told.task_count, tasks: [...known, ...moved.values()] };
}

export function useRun(id: string): Readonly<{
  data: GetApiRunsByIdResponse | undefined;
  error: unknown;
  refetch: () => void;
  /** After a retry: listens again. */
  onRevived: () => void;
}> {
  const client = useQueryClient();
  const options = runQuery(id);
  const { data, error, refetch } = useQuery(options);
  const [isOver, setOver] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    setOver(false);
    return () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [id]);
  useLive(data === undefined || isOver ? undefined : `run:${id}`, (event) => {
    if (event["end"] === true) {
      setOver(true);
      void refetch(); // The last word: attempts, graph and artifacts.
      return;
    }
    const told = event as unknown as Told; // As the API's description says of `/live`.
    client.setQueryData(options.queryKey, (before) => (before === undefined ? before : merge(before, told)));
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, againMs);
  });
  return { data, error, refetch: () => void refetch(), onRevived: () => setOver(false) };
}
