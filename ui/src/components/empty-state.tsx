/** Nothing to show, and why: nothing exists, it is filtered away, nothing is chosen, or it cannot be read. */
import type { ReactElement, ReactNode } from "react";
import { isUnreachable, toProblem } from "../client/problem.ts";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";

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

/**
 * It cannot be loaded: what the server said, and what to do. What is not there any more is not asked for again, and a
 * server that cannot be reached is asked again without anybody's doing (see `query-client.ts`).
 */
export function ErrorState({
  error,
  onRetry,
}: Readonly<{ error: unknown; onRetry?: () => void }>): ReactElement {
  const { message, hint, code, status } = toProblem(error);
  const isGone = status === 404;
  return (
    <div
      role="alert"
      data-empty={isGone ? "none" : "failed"}
      className="flex flex-col items-center gap-2 px-4 py-10 text-center"
    >
      <span aria-hidden="true" className={classNames("text-figure", isGone ? "text-muted" : "text-failed")}>
        {isGone ? glyphs.none : "✕"}
      </span>
      <p className="max-w-prose font-semibold [overflow-wrap:anywhere]">{message}</p>
      {isGone && <p className="text-muted">It may have been deleted or renamed.</p>}
      {hint !== undefined && <p className="max-w-prose text-muted [overflow-wrap:anywhere]">{hint}</p>}
      <p className="font-mono text-meta text-muted">
        {code}
        {status > 0 && ` · ${status}`}
      </p>
      {isUnreachable(error) && <p className="text-muted">It is tried again by itself.</p>}
      {onRetry !== undefined && !isGone && <Button onClick={onRetry}>Try again</Button>}
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
