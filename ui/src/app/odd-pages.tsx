/** Pages for what went wrong: an address that leads nowhere, a page that broke. */
import { useQuery } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { type ReactElement, useEffect, useState } from "react";
import { isUnreachable } from "../client/problem.ts";
import { request } from "../client/request.ts";
import { Button } from "../components/button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../components/empty-state.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { PageNotLoaded } from "./lazy-page.ts";

export function UnknownPage(): ReactElement {
  return (
    <>
      <PageHeader title="There is no such page" />
      <EmptyState kind="none" title="This address leads nowhere">
        It may be of something that was deleted or renamed. Search with Ctrl+K, or go <Link to="/">home</Link>
        .
      </EmptyState>
    </>
  );
}

/** A part of the console that could not be loaded. */
const isNotLoaded = (error: unknown): boolean =>
  error instanceof PageNotLoaded ||
  (error instanceof Error && /dynamically imported module|Importing a module script/i.test(error.message));

export function CrashedPage({ error, reset }: Readonly<{ error: unknown; reset: () => void }>): ReactElement {
  const router = useRouter();
  useEffect(() => router.subscribe("onBeforeNavigate", reset), [router, reset]);
  if (isNotLoaded(error)) {
    return (
      <>
        <PageHeader title="This page is not here yet" />
        <NotLoaded />
      </>
    );
  }
  return (
    <>
      <PageHeader title="This page broke" />
      <ErrorState error={error} onRetry={reset} />
    </>
  );
}

/** The server is away and comes back, or it is there with a new build, in which the part has another name. */
function NotLoaded(): ReactElement {
  const { error, data } = useQuery({
    queryKey: ["is the server there"],
    queryFn: ({ signal }) => request("session", { signal }),
    gcTime: 0,
    retry: false,
  });
  const [wasAway, setAway] = useState(false);
  if (isUnreachable(error) && !wasAway) setAway(true);
  useEffect(() => {
    if (wasAway && data !== undefined) location.reload();
  }, [wasAway, data]);
  if (isUnreachable(error)) return <ErrorState error={error} />;
  if (data === undefined || wasAway) return <LoadingState what="the page" />;
  return (
    <EmptyState kind="unselected" title="The console was updated">
      <Button look="primary" onClick={() => location.reload()}>
        Load it again
      </Button>
    </EmptyState>
  );
}
