/** Runs of a flow or deployment on its own page, as the address says which and how. */
import type { ReactElement } from "react";
import type { RunFilter } from "../../client/run-queries.ts";
import { RunList } from "../observe/run-list.tsx";

type OwnSearch = Readonly<{
  state?: readonly string[] | undefined;
  sort?: string | undefined;
  hide?: string | undefined;
}>;

export type OwnRunsProps = Readonly<{
  of: Pick<RunFilter, "flow" | "deployment">;
  search: OwnSearch;
  onChange: (changed: Pick<OwnSearch, "sort" | "hide"> & { state?: undefined }) => void;
}>;

export function OwnRuns({ of, search, onChange }: OwnRunsProps): ReactElement {
  const { state } = search;
  return (
    <RunList
      filter={{ ...of, state }}
      isFiltered={state !== undefined}
      onClear={() => onChange({ state: undefined })}
      sort={search.sort}
      onSort={(sort) => onChange({ sort })}
      hidden={search.hide}
      onHide={(hide) => onChange({ hide })}
    />
  );
}
