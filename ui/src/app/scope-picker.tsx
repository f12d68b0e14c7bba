/** What the pages are about: the project that this server runs, and one tenant of it or all. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, type ReactElement, Suspense } from "react";
import { tenantsQuery } from "../client/queries.ts";

// The list with its search is a third of what a first page would load.
const Combobox = lazy(async () => ({ default: (await import("../components/combobox.tsx")).Combobox }));

export function ScopePicker(): ReactElement {
  const { data: tenants } = useQuery(tenantsQuery);
  const { tenant } = useSearch({ strict: false });
  const navigate = useNavigate();
  return (
    <div className="flex min-w-0 items-center gap-3">
      <Link
        to="/"
        className="flex items-center gap-2 font-semibold text-text no-underline hover:no-underline"
      >
        <svg viewBox="0 0 32 32" aria-hidden="true" className="size-6">
          <rect width="32" height="32" rx="7" className="fill-accent" />
          <path
            d="M4 13c4-4 8 4 12 0s8 4 12 0M4 20c4-4 8 4 12 0s8 4 12 0"
            className="fill-none stroke-on-accent"
            strokeWidth="2.5"
            strokeLinecap="round"
          />
        </svg>
        leat
      </Link>
      {tenants !== undefined && tenants.length > 0 && (
        <Suspense>
          <Combobox
            label="Tenant"
            placeholder="All tenants"
            options={tenants}
            value={tenant ?? ""}
            onChange={(chosen) =>
              void navigate({
                to: ".",
                search: (search) => ({ ...search, tenant: chosen === "" ? undefined : chosen }),
              })
            }
            noneText="No tenant of this name."
          />
        </Suspense>
      )}
    </div>
  );
}
