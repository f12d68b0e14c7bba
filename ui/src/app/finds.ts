/** What Ctrl+K finds. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { GetApiSearchResponse } from "../api/types.gen.ts";
import { request } from "../client/request.ts";
import { places } from "./navigation.ts";

export type Find = Readonly<{ kind: string; name: string; to: string }>;

const fits = (text: string, words: string): boolean => words.toLowerCase().includes(text.toLowerCase());

/** Pages whose name or subject has the text; all of them without one. */
export function pageFinds(text: string, isThere: (path: string) => boolean): readonly Find[] {
  return places
    .flatMap(({ items }) => items)
    .filter(({ to, name, words }) => isThere(to) && fits(text.trim(), `${name} ${words ?? ""}`))
    .map(({ to, name }) => ({ kind: "Page", name, to }));
}

const words: Readonly<Record<string, string>> = {
  flow: "Flow",
  deployment: "Deployment",
  schedule: "Schedule",
  source: "Source",
  stream: "Stream",
  tenant: "Tenant",
  dataset: "Dataset",
  run: "Run",
};

type Told = GetApiSearchResponse["finds"][number];

/** Where something that was found is shown. */
function pathOf({ kind, name, of }: Told): string {
  const part = encodeURIComponent(name);
  switch (kind) {
    case "schedule":
      return `/schedules?find=${part}`;
    case "stream":
      return `/sources/${encodeURIComponent(of ?? "")}?find=${part}`;
    case "tenant":
      return `/sources?tenant=${part}`;
    default:
      return `/${kind}s/${part}`;
  }
}

/** What the project and its runs have of this name. */
export const searchQuery = (text: string) =>
  queryOptions({
    queryKey: ["search", text],
    enabled: text !== "",
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<readonly Find[]> => {
      const { finds } = await request<GetApiSearchResponse>("search", { query: { q: text }, signal });
      return finds.map((one) => ({
        kind: words[one.kind] ?? one.kind,
        name: one.of === null ? one.name : `${one.name} · ${one.of}`,
        to: pathOf(one),
      }));
    },
  });
