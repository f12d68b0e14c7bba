/** Pages for what went wrong: an address that leads nowhere, a page that broke. */
import { Link, useRouter } from "@tanstack/react-router";
import { type ReactElement, useEffect } from "react";
import { Button } from "../components/button.tsx";
import { EmptyState, ErrorState } from "../components/empty-state.tsx";
import { PageHeader } from "../components/page-header.tsx";

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

/** A chunk of the build before is gone after an update of the server: a reload brings the new one. */
const isOldBuild = (error: unknown): boolean =>
  error instanceof Error && /dynamically imported module|Importing a module script/i.test(error.message);

export function CrashedPage({ error, reset }: Readonly<{ error: unknown; reset: () => void }>): ReactElement {
  const router = useRouter();
  useEffect(() => router.subscribe("onBeforeNavigate", reset), [router, reset]);
  if (isOldBuild(error)) {
    return (
      <EmptyState kind="unselected" title="The console was updated">
        <Button look="primary" onClick={() => location.reload()}>
          Load it again
        </Button>
      </EmptyState>
    );
  }
  return (
    <>
      <PageHeader title="This page broke" />
      <ErrorState error={error} onRetry={reset} />
    </>
  );
}
