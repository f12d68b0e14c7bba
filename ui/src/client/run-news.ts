/** Keeps what is shown of runs as it is, while runs are made and move. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Run } from "../api/types.gen.ts";
import { useLive } from "./live.ts";
import { isKeptUnder } from "./queries.ts";

/** How often lists are asked again at most, ms: a busy server moves runs many times a second. */
const againMs = 1000;

/** Lists that change when a run does. */
const changed = ["runs", "home", "tree"];

function putIntoLists(client: QueryClient, moved: ReadonlyMap<string, Run>): void {
  const put = (runs: readonly Run[]): readonly Run[] =>
    runs.some(({ id }) => moved.has(id)) ? runs.map((run) => moved.get(run.id) ?? run) : runs;
  client.setQueriesData<unknown>({ queryKey: ["runs"] }, (kept: unknown) => {
    if (Array.isArray(kept)) return put(kept as readonly Run[]); // See `recentRunsQuery`.
    if (typeof kept === "object" && kept !== null && "pages" in kept && Array.isArray(kept.pages)) {
      return { ...kept, pages: (kept.pages as readonly (readonly Run[])[]).map(put) }; // See `runsQuery`.
    }
    return kept;
  });
}

/** Shows moves of runs at once, and asks lists again for what is new. */
export function useRunNews(): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const isFirst = useRef(true);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive("runs", (event) => {
    const runs = (event["runs"] ?? []) as readonly Run[]; // As the API's description says of `/live`.
    putIntoLists(client, new Map(runs.map((run) => [run.id, run])));
    // The first event tells of all runs, which the page has asked for itself.
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void client.invalidateQueries({ predicate: ({ queryKey }) => isKeptUnder(queryKey, changed) });
    }, againMs);
  });
}
