/** How fresh a stream of a tenant is, and what that is made of. */
import type { ReactElement, ReactNode } from "react";
import { KeyValue } from "../../components/key-value.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { printDuration } from "../../format/duration.ts";
import type { Endpoint } from "./ingest-queries.ts";
import { StandingBadge } from "./standing-table.tsx";
import { EndpointLink, LoadLink, PackageFilesLink } from "./stream-links.tsx";

function Figure({
  name,
  about,
  children,
}: Readonly<{ name: string; about: string; children: ReactNode }>): ReactElement {
  return (
    <div className="card min-w-0 p-4">
      <p className="text-muted">{name}</p>
      <p className="text-figure figures font-semibold [overflow-wrap:anywhere]">{children}</p>
      <p className="text-meta text-muted">{about}</p>
    </div>
  );
}

export function EndpointStatus({ endpoint }: Readonly<{ endpoint: Endpoint }>): ReactElement {
  const { standing, place, cursor, seq } = endpoint;
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="grid grid-cols-[repeat(auto-fill,minmax(240px,1fr))] gap-3">
        <Figure name="Lag" about="Age of the newest record that is landed.">
          {endpoint.lag_ms === null ? "–" : printDuration(endpoint.lag_ms)}
        </Figure>
        <Figure name="Freshness" about="Since anything was committed.">
          {endpoint.freshness_ms === null ? "–" : printDuration(endpoint.freshness_ms)}
        </Figure>
        <Figure
          name="Packages"
          about={seq === 0 ? "Nothing has been landed yet." : "Committed to its log so far."}
        >
          {seq}
        </Figure>
      </div>
      <section className="card min-w-0 max-w-240 p-4">
        <h2 className="mb-3 text-section">Where it stands</h2>
        <KeyValue
          facts={[
            [
              "Status",
              standing === null ? "not expected" : <StandingBadge key="status" standing={standing} />,
            ],
            ["Last good run", <TimeText key="synced" at={standing?.synced_at} />],
            [
              "Late from",
              standing?.late_at == null ? "nobody expects it" : <TimeText key="late" at={standing.late_at} />,
            ],
            ["Cursor", place?.cursor ?? "none yet"],
            [
              "Next range begins",
              <EndpointLink key="next" at={endpoint} tab="cursor">
                {place?.next ?? cursor?.initial ?? "from the beginning"}
              </EndpointLink>,
            ],
            [
              "Cursor field",
              cursor === null
                ? "none: everything is read each time"
                : `${cursor.field} (${cursor.format}, ${cursor.zone})`,
            ],
            ["Primary key", endpoint.primary_key.length === 0 ? "none" : endpoint.primary_key.join(", ")],
            ["Write disposition", endpoint.write_disposition],
            ["Landing table", <code key="table">{endpoint.landing_table}</code>],
            [
              "Order",
              endpoint.is_ordered ? "kept" : "broken once: no checkpoints until somebody says otherwise",
            ],
            ...(endpoint.partitions > 0 ? [["Partitions", endpoint.partitions] as const] : []),
            ...(seq > 0
              ? [
                  [
                    "Newest package",
                    <span key="package" className="inline-flex flex-wrap gap-x-3">
                      <TimeText at={endpoint.committed_at} />
                      <PackageFilesLink at={endpoint} seq={seq}>
                        files of package {seq}
                      </PackageFilesLink>
                      <LoadLink at={endpoint} seq={seq}>
                        its load
                      </LoadLink>
                    </span>,
                  ] as const,
                ]
              : []),
          ]}
        />
      </section>
    </div>
  );
}
