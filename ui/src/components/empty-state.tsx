/** Nothing to show, and why: nothing exists, it is filtered away, nothing is chosen, or it cannot be read. */
import type { ReactElement, ReactNode } from "react";
import { toProblem } from "../client/problem.ts";
import { Button } from "./button.tsx";

export type EmptyKind = "none" | "filtered" | "unselected";

export type EmptyStateProps = Readonly<{
  kind: EmptyKind;
  /** Such as `No runs yet`. */
  title: string;
  /** What to do next. */
  children?: ReactNode;
  /** With `filtered`: takes the filters away. */
  onClear?: () => void;
}>;

const glyphs: Readonly<Record<EmptyKind, string>> = { none: "∅", filtered: "⧩", unselected: "☞" };

export function EmptyState({ kind, title, children, onClear }: EmptyStateProps): ReactElement {
  return (
    <div data-empty={kind} className="flex flex-col items-center gap-2 px-4 py-10 text-center text-muted">
      <span aria-hidden="true" className="text-figure">
        {glyphs[kind]}
      </span>
      <p className="font-semibold text-text">{title}</p>
      {children !== undefined && (
        <div className="max-w-prose [&_p_a]:underline [&>a]:underline">{children}</div>
      )}
      {kind === "filtered" && onClear !== undefined && <Button onClick={onClear}>Clear filters</Button>}
    </div>
  );
}

/** It cannot be loaded: what the server said, and what to do. */
export function ErrorState({
  error,
  onRetry,
}: Readonly<{ error: unknown; onRetry?: () => void }>): ReactElement {
  const { message, hint, code, status } = toProblem(error);
  return (
    <div role="alert" data-empty="failed" className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <span aria-hidden="true" className="text-figure text-failed">
        ✕
      </span>
      <p className="max-w-prose font-semibold [overflow-wrap:anywhere]">{message}</p>
      {hint !== undefined && <p className="max-w-prose text-muted [overflow-wrap:anywhere]">{hint}</p>}
      <p className="font-mono text-meta text-muted">
        {code}
        {status > 0 && ` · ${status}`}
      </p>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

/** It is being loaded; said only after a moment, since most answers come sooner. */
export function LoadingState({ what }: Readonly<{ what: string }>): ReactElement {
  return (
    <div role="status" className="loading-late px-4 py-10 text-center text-muted">
      Loading {what} …
    </div>
  );
}
