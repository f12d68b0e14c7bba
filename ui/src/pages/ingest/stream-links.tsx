/** Links between what belongs together: a stream of a tenant, its files, its loads, its rows. */
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { StreamAt } from "./ingest-queries.ts";

/** `source.stream` in its halves: the names of sources have no dot. */
export function splitStream(stream: string): Readonly<{ source: string; name: string }> {
  const dot = stream.indexOf(".");
  return { source: stream.slice(0, dot), name: stream.slice(dot + 1) };
}

type LinkProps = Readonly<{ at: StreamAt; children: ReactNode; className?: string }>;

export function EndpointLink({
  at,
  tab,
  children,
  className,
}: LinkProps & Readonly<{ tab?: "cursor" | "files" | "runs" | "sample" }>): ReactElement {
  const { source, name } = splitStream(at.stream);
  return (
    <Link
      to="/sources/$source/$tenant/$stream"
      params={{ source, tenant: at.tenant, stream: name }}
      search={{ tab }}
      className={className}
    >
      {children}
    </Link>
  );
}

export function LoadLink({ at, seq, children }: LinkProps & Readonly<{ seq: number }>): ReactElement {
  return (
    <Link
      to="/loads/$stream/$tenant/$seq"
      params={{ stream: at.stream, tenant: at.tenant, seq: String(seq) }}
    >
      {children}
    </Link>
  );
}

export function PackageFilesLink({ at, seq, children }: LinkProps & Readonly<{ seq: number }>): ReactElement {
  return (
    <Link to="/files" search={{ stream: at.stream, tenant: at.tenant, seq }}>
      {children}
    </Link>
  );
}

/** Rows of the stream's table: of one load, or all. */
export function RowsLink({ at, seq, children }: LinkProps & Readonly<{ seq?: number }>): ReactElement {
  return (
    <Link to="/tables/$stream" params={{ stream: at.stream }} search={{ tenant: at.tenant, seq }}>
      {children}
    </Link>
  );
}
