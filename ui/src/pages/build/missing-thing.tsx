/** The page of a flow or deployment that is not there: not yet, not any more, or it cannot be told. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

const lists = {
  flow: { to: "/flows", name: "Flows" },
  deployment: { to: "/deployments", name: "Deployments" },
} as const;

export type MissingThingProps = Readonly<{
  kind: keyof typeof lists;
  name: string;
  /** Whether the list has come, and it is not on it. */
  isGone: boolean;
  error: unknown;
  onRetry: () => void;
}>;

export function MissingThing({ kind, name, isGone, error, onRetry }: MissingThingProps): ReactElement {
  const list = lists[kind];
  return (
    <>
      <PageHeader title={name} above={<Link to={list.to}>{list.name}</Link>} />
      {isGone ? (
        <EmptyState kind="none" title={`There is no ${kind} "${name}"`}>
          It may have been renamed or deleted in the code.{" "}
          <Link to="/runs" search={{ [kind]: name }}>
            Its runs
          </Link>{" "}
          are still here.
        </EmptyState>
      ) : error === null ? (
        <LoadingState what={`the ${kind}`} />
      ) : (
        <ErrorState error={error} onRetry={onRetry} />
      )}
    </>
  );
}
