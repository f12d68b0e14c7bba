/** What a request is counted as: a route as it was declared, so that there are only so many. */
import type { ApiSpec } from "../../ports/api-spec.ts";

/** Names of everything that was not found. */
export const otherRoute = "other";

/** What there is below a dataset, as the API has it. */
const datasetPlaces: ReadonlySet<string> = new Set([
  "rows",
  "facets",
  "aggregate",
  "versions",
  "export",
  "parts",
]);

/** Own addresses of a server, by their first word. */
const ownWords: ReadonlySet<string> = new Set(["docs", "live", "ready", "metrics", "assets", "sql"]);

/** Labels requests of an API by their path alone. */
export function openRouteLabels({ routes }: ApiSpec): (url: string) => string {
  const declared = new Map<string, string>();
  for (const { path, segments } of routes) {
    const [first] = segments;
    if (first === undefined || !("literal" in first)) continue;
    // Several routes that begin alike are told apart by nobody in time: they share a label.
    declared.set(first.literal, declared.has(first.literal) ? `/${first.literal}/…` : path);
  }
  return (url) => {
    const mark = url.indexOf("?");
    const end = mark < 0 ? url.length : mark;
    const slash = url.indexOf("/", 1);
    const first = url.slice(1, slash < 0 || slash > end ? end : slash);
    if (first === "") return "/";
    const route = declared.get(first);
    if (route !== undefined) return route;
    const [, , ...rest] = url.slice(0, end).split("/", 7);
    if (first === "v")
      return rest[1] === "datasets" ? `/v/{version}${datasetLabel(rest.slice(2))}` : otherRoute;
    if (first === "datasets") return datasetLabel(rest);
    if (first === "openapi.json") return "/openapi.json";
    return ownWords.has(first) ? `/${first}` : otherRoute;
  };
}

function datasetLabel([name, place]: readonly string[]): string {
  if (name === undefined || name === "") return "/datasets";
  if (place === undefined) return "/datasets/{dataset}";
  const word = place.split(".", 1)[0]!;
  return datasetPlaces.has(word) ? `/datasets/{dataset}/${word}` : otherRoute;
}
