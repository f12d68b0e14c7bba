/** Secrets: their names, what uses them, when they were set. A value goes in and never comes out. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactElement, useMemo } from "react";
import type { GetApiSecretsResponse } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { useMay } from "../../client/use-may.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { SecretDialog } from "./secret-dialog.tsx";

const route = getRouteApi("/secrets");

type Secret = GetApiSecretsResponse["secrets"][number];

export function SecretsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const maySee = useMay("admin");
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["secrets"],
    queryFn: ({ signal }) => request<GetApiSecretsResponse>("secrets", { signal }),
    enabled: maySee,
  });
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const columns = useMemo(() => columnsOf((replace) => change({ replace })), []);
  const wanted = (search.find ?? "").toLowerCase();
  const shown = (data?.secrets ?? []).filter((one) =>
    `${one.reference} ${one.used_by.join(" ")}`.toLowerCase().includes(wanted),
  );
  const isOpen = (search.make ?? false) || search.replace !== undefined;
  return (
    <>
      <PageHeader
        title="Secrets"
        about="Values go in and never come out: not on this page, not in an answer, a log or an event."
        actions={
          <Button look="primary" disabled={data?.can_write !== true} onClick={() => change({ make: true })}>
            <Plus aria-hidden="true" /> New secret
          </Button>
        }
      />
      {data?.can_write === false && (
        <p className="px-4 pb-2 text-muted">
          The project keeps its secrets elsewhere, where they are set too: this page shows who uses them.
        </p>
      )}
      <div className="px-4 pb-2">
        <input
          aria-label="Find by name"
          placeholder="Name or user"
          value={search.find ?? ""}
          onChange={(event) => change({ find: event.target.value || undefined })}
          className={`${fieldClass} w-60`}
        />
      </div>
      {!maySee ? (
        <EmptyState kind="none" title="Secrets are for admins">
          Their names alone tell much. Ask an admin to set one.
        </EmptyState>
      ) : isPending ? (
        <LoadingState what="secrets" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <DataTable
          label="Secrets"
          columns={columns}
          rows={shown}
          rowId={(one) => one.reference}
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          hidden={search.hide}
          empty={
            data.secrets.length > 0 ? (
              <EmptyState
                kind="filtered"
                title="No secret has this name"
                onClear={() => change({ find: undefined })}
              />
            ) : (
              <EmptyState kind="none" title="The project refers to no secrets">
                A source names one as <code>env:NAME</code>, <code>file:PATH</code> or{" "}
                <code>gcp-secret:…</code>.
              </EmptyState>
            )
          }
        />
      )}
      {isOpen && data?.can_write === true && (
        <SecretDialog
          name={search.replace}
          taken={data.secrets
            .filter((one) => one.scheme === "env" && one.is_set === true)
            .map(({ name }) => name)}
          onClose={() => change({ make: undefined, replace: undefined })}
          onDone={() => void client.invalidateQueries({ queryKey: ["secrets"] })}
        />
      )}
    </>
  );
}

const columnsOf = (onReplace: (name: string) => void): readonly DataColumn<Secret>[] => [
  {
    id: "name",
    name: "Name",
    isFixed: true,
    width: 260,
    sortBy: (one) => one.name,
    cell: (one) => <code title={one.reference}>{one.name}</code>,
  },
  {
    id: "where",
    name: "Kept in",
    width: 120,
    sortBy: (one) => one.scheme,
    cell: (one) => schemes[one.scheme],
  },
  {
    id: "set",
    name: "State",
    width: 120,
    sortBy: (one) => String(one.is_set),
    cell: (one) =>
      one.is_set === null ? (
        <StateBadge state="unknown" word="Not asked" />
      ) : one.is_set ? (
        <StateBadge state="succeeded" word="Set" />
      ) : (
        <StateBadge state="warning" word="Missing" />
      ),
  },
  {
    id: "used",
    name: "Used by",
    width: 230,
    cell: (one) =>
      one.used_by.length === 0 ? (
        <span className="text-muted">nothing</span>
      ) : (
        <span title={one.used_by.join(", ")}>{one.used_by.join(", ")}</span>
      ),
  },
  {
    id: "rotated",
    name: "Rotated",
    width: 200,
    sortBy: (one) => one.set_at,
    cell: (one) =>
      one.set_at === null ? (
        <span className="text-muted">by other means</span>
      ) : (
        <>
          <TimeText at={one.set_at} />
          {one.set_by !== null && (
            <Link to="/audit" search={{ find: one.reference }} className="ml-2">
              by {one.set_by}
            </Link>
          )}
        </>
      ),
  },
  {
    id: "do",
    name: "Value",
    width: 130,
    cell: (one) =>
      one.is_writable ? (
        <Button look="quiet" aria-label={`Replace ${one.name}`} onClick={() => onReplace(one.name)}>
          Replace …
        </Button>
      ) : (
        <span className="text-muted">set elsewhere</span>
      ),
  },
];

const schemes: Readonly<Record<Secret["scheme"], string>> = {
  env: "environment",
  file: "file",
  "gcp-secret": "Secret Manager",
};
