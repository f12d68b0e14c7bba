/** Questions about the log of a run. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  GetApiRunsByIdLogsFindResponse,
  GetApiRunsByIdLogsMarksResponse,
  GetApiRunsByIdLogsResponse,
  Line,
} from "../api/types.gen.ts";
import type { ReadStretch } from "./log-store.ts";
import { request } from "./request.ts";

/** Which lines of a log. */
export type LogChoice = Readonly<{
  task?: string | undefined;
  level?: readonly string[] | undefined;
  attempt?: number | undefined;
}>;

const pathOf = (id: string): string => `runs/${encodeURIComponent(id)}/logs`;

/** How the log is laid out now. Asked once for each choice: what comes later is told as it happens. */
export const logLayoutQuery = (id: string, choice: LogChoice) =>
  queryOptions({
    queryKey: ["log", id, "layout", choice],
    queryFn: ({ signal }) =>
      request<GetApiRunsByIdLogsMarksResponse>(`${pathOf(id)}/marks`, { query: choice, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0, // A log that is opened again may have grown.
  });

/** Lines before this one. */
export const linePlaceQuery = (id: string, choice: LogChoice, line: number | undefined) =>
  queryOptions({
    queryKey: ["log", id, "place", choice, line],
    enabled: line !== undefined,
    queryFn: async ({ signal }) => {
      const query = { ...choice, line };
      return (await request<GetApiRunsByIdLogsMarksResponse>(`${pathOf(id)}/marks`, { query, signal }))
        .before;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The first error in the log; `null`: there is none. */
export const firstErrorQuery = (id: string, attempt: number, isWanted: boolean) =>
  queryOptions({
    queryKey: ["log", id, "first error", attempt],
    enabled: isWanted,
    queryFn: async ({ signal }): Promise<Line | null> => {
      const query = { level: ["error"], attempt, limit: 1 };
      return (await request<GetApiRunsByIdLogsResponse>(pathOf(id), { query, signal })).lines[0] ?? null;
    },
  });

/** Places of the lines that hold a text. */
export const findQuery = (id: string, choice: LogChoice, text: string) =>
  queryOptions({
    queryKey: ["log", id, "find", choice, text],
    enabled: text !== "",
    queryFn: ({ signal }) =>
      request<GetApiRunsByIdLogsFindResponse>(`${pathOf(id)}/find`, { query: { ...choice, text }, signal }),
    placeholderData: keepPreviousData,
  });

export const readStretchOf =
  (id: string, choice: LogChoice): ReadStretch =>
  async (after, limit) =>
    (await request<GetApiRunsByIdLogsResponse>(pathOf(id), { query: { ...choice, after, limit } })).lines;

/** Whether a line that happens is one of the chosen. */
export const isChosen = ({ task, level, attempt }: LogChoice, line: Line): boolean =>
  (task === undefined || line.task === task) &&
  (level === undefined || level.includes(line.level)) &&
  (attempt === undefined || line.attempt === attempt);
