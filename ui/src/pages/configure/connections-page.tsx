/** What the project is connected to, and whether it answers. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useState } from "react";
import type { GetApiConnectionsResponse, PostApiConnectionsByIdTestResponse } from "../../api/types.gen.ts";
import { toProblem } from "../../client/problem.ts";
import { request } from "../../client/request.ts";
import { useMay } from "../../client/use-may.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { plural, printDuration } from "../../format/duration.ts";

const route = getRouteApi("/connections");

type Connection = GetApiConnectionsResponse["connections"][number];

const kinds: Readonly<Record<Connection["kind"], string>> = {
  landing: "Landing: where files are kept as they came",
  warehouse: "Warehouse: where tables are",
  ledger: "Ledger: runs, logs and events",
  source: "Source",
};

export function ConnectionsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["connections"],
    queryFn: async ({ signal }) =>
      (await request<GetApiConnectionsResponse>("connections", { signal })).connections,
  });
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const wanted = (search.find ?? "").toLowerCase();
  const shown = (data ?? []).filter((one) =>
    `${one.kind} ${one.name} ${one.address ?? ""}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <PageHeader
        title="Connections"
        about={
          <>
            Declared in <code>leat.config.ts</code> and the environment; what they need to be let in is under{" "}
            <Link to="/secrets" className="underline">
              Secrets
            </Link>
            .
          </>
        }
      />
      <div className="px-4 pb-3">
        <input
          aria-label="Find by name"
          placeholder="Name or address"
          value={search.find ?? ""}
          onChange={(event) => change({ find: event.target.value || undefined })}
          className={`${fieldClass} w-60`}
        />
      </div>
      {isPending ? (
        <LoadingState what="connections" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : shown.length === 0 ? (
        <EmptyState
          kind="filtered"
          title="No connection has this name"
          onClear={() => change({ find: undefined })}
        />
      ) : (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,400px),1fr))] gap-4 px-4 pb-4">
          {shown.map((one) => (
            <ConnectionCard key={one.id} connection={one} tenant={search.tenant} />
          ))}
        </ul>
      )}
    </>
  );
}

function ConnectionCard({
  connection,
  tenant,
}: Readonly<{ connection: Connection; tenant: string | undefined }>): ReactElement {
  const [tried, setTried] = useState<PostApiConnectionsByIdTestResponse>();
  const [failure, setFailure] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const mayTest = useMay("operator");
  const { id, kind, name, address, streams } = connection;
  const test = async (): Promise<void> => {
    setBusy(true);
    setTried(undefined);
    setFailure(undefined);
    try {
      const body = kind === "source" && tenant !== undefined ? { tenant } : {};
      const path = `connections/${encodeURIComponent(id)}/test`;
      setTried(await request<PostApiConnectionsByIdTestResponse>(path, { method: "POST", body }));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="card flex min-w-0 flex-col gap-3 p-4">
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <h2 className="text-section [overflow-wrap:anywhere]">{name}</h2>
          <p className="text-meta text-muted">{kinds[kind]}</p>
        </div>
        <Button disabled={isBusy || !mayTest} aria-label={`Test ${name}`} onClick={() => void test()}>
          {isBusy ? "Testing …" : "Test"}
        </Button>
      </div>
      <KeyValue
        facts={[
          ["Address", address === null ? "–" : <code key="address">{address}</code>],
          ...(kind === "source"
            ? [
                [
                  "Streams",
                  <Link key="streams" to="/sources/$source" params={{ source: name }}>
                    {plural(streams, "stream")}
                  </Link>,
                ] as const,
              ]
            : []),
        ]}
      />
      <div role="status">
        {tried !== undefined &&
          (tried.is_ok ? (
            <p>
              <StateBadge state="succeeded" word="It answers" />{" "}
              <span className="text-muted">
                in {printDuration(tried.took_ms)}. {tried.found}
              </span>
            </p>
          ) : (
            <Failure
              message={textOf(tried.problem?.["message"]) ?? tried.found}
              hint={textOf(tried.problem?.["hint"])}
              code={textOf(tried.problem?.["code"])}
            />
          ))}
        {failure !== undefined && <Failure {...toProblem(failure)} message={toProblem(failure).message} />}
      </div>
    </li>
  );
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function Failure({
  message,
  hint,
  code,
}: Readonly<{ message: string; hint?: string | undefined; code?: string | undefined }>): ReactElement {
  return (
    <div className="[overflow-wrap:anywhere]">
      <p className="font-semibold text-failed">✕ {message}</p>
      {hint !== undefined && <p className="text-muted">{hint}</p>}
      {code !== undefined && <p className="font-mono text-meta text-muted">{code}</p>}
    </div>
  );
}
