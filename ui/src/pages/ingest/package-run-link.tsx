/** The run that has landed a package, where it is among the newest of its endpoint; else all of these. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Run } from "../../api/types.gen.ts";
import { endpointQuery, type StreamAt } from "./ingest-queries.ts";
import { EndpointLink } from "./stream-links.tsx";

/** Runs of a sync tell which packages they have landed. */
function hasLanded({ result }: Run, seq: number): boolean {
  if (typeof result !== "object" || result === null || !("packages" in result)) return false;
  return Array.isArray(result.packages) && result.packages.includes(seq);
}

export function PackageRunLink({ at, seq }: Readonly<{ at: StreamAt; seq: number }>): ReactElement {
  const { data } = useQuery(endpointQuery(at));
  const run = data?.runs.find((one) => hasLanded(one, seq));
  if (run === undefined) {
    return (
      <EndpointLink at={at} tab="runs">
        runs of the endpoint
      </EndpointLink>
    );
  }
  return (
    <Link to="/runs/$id" params={{ id: run.id }}>
      the run that landed it
    </Link>
  );
}
