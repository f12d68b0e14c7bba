/** What Ctrl+K finds. */
import { queryOptions } from "@tanstack/react-query";
import { datasetsQuery, deploymentsQuery } from "../client/queries.ts";
import { places } from "./navigation.ts";
import { queryClient } from "./query-client.ts";

export type Find = Readonly<{ kind: string; name: string; to: string }>;

/** Finds shown at once. */
const findsMax = 20;

const fits = (text: string, words: string): boolean => words.toLowerCase().includes(text.toLowerCase());

/** Pages whose name or subject has the text; all of them without one. */
export function pageFinds(text: string, isThere: (path: string) => boolean): readonly Find[] {
  return places
    .flatMap(({ items }) => items)
    .filter(({ to, name, words }) => isThere(to) && fits(text.trim(), `${name} ${words ?? ""}`))
    .map(({ to, name }) => ({ kind: "Page", name, to }));
}

/** Objects of the project whose name has the text. */
export const searchQuery = (text: string) =>
  queryOptions({
    queryKey: ["search", text],
    enabled: text !== "",
    placeholderData: (before: readonly Find[] | undefined) => before,
    queryFn: async (): Promise<readonly Find[]> => {
      const [deployments, datasets] = await Promise.all([
        queryClient.ensureQueryData(deploymentsQuery),
        queryClient.ensureQueryData(datasetsQuery),
      ]);
      const named = (kind: string, folder: string, names: readonly string[]): readonly Find[] =>
        names
          .filter((name) => fits(text, name))
          .map((name) => ({ kind, name, to: `/${folder}/${encodeURIComponent(name)}` }));
      return [
        ...named(
          "Dataset",
          "datasets",
          datasets.map(({ name }) => name),
        ),
        ...named("Flow", "flows", [...new Set(deployments.map(({ flow }) => flow))]),
        ...named(
          "Deployment",
          "deployments",
          deployments.map(({ name }) => name),
        ),
      ].slice(0, findsMax);
    },
  });
