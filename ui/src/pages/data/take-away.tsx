/** Ways to take the rows that are shown elsewhere: as a file, as a request, as SQL. */
import { ChevronDown } from "lucide-react";
import type { ReactElement } from "react";
import { Menu } from "../../components/menu.tsx";
import { tellDone, tellFailure } from "../../components/toast.tsx";
import { printCurl, printTypeScript } from "./request-code.ts";
import type { ExportFormat, RowSource, RowsAsked } from "./row-source.ts";

const formatNames: Readonly<Record<ExportFormat, string>> = {
  csv: "Export CSV",
  ndjson: "Export NDJSON",
  json: "Export JSON",
  parquet: "Export Parquet",
  arrow: "Export Arrow",
};

/** Downloads by a link that is pressed: the browser's own way, which streams to the disk. */
function download(href: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = "";
  link.click();
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tellDone(`Copied as ${what}`);
  } catch (error) {
    tellFailure("It could not be copied", error);
  }
}

export function TakeAway({
  source,
  asked,
  onOpenSql,
}: Readonly<{ source: RowSource; asked: RowsAsked; onOpenSql?: () => void }>): ReactElement {
  const href = source.rowsHref(asked);
  return (
    <>
      <Menu
        items={source.formats.map((format) => ({
          name: formatNames[format],
          onSelect: () => download(source.exportHref(format, asked)),
        }))}
      >
        Export <ChevronDown aria-hidden="true" />
      </Menu>
      <Menu
        items={[
          ...(onOpenSql === undefined ? [] : [{ name: "Open as SQL", onSelect: onOpenSql }]),
          { name: "Copy as curl", onSelect: () => void copy(printCurl(href), "curl") },
          { name: "Copy as TypeScript", onSelect: () => void copy(printTypeScript(href), "TypeScript") },
        ]}
      >
        Use as <ChevronDown aria-hidden="true" />
      </Menu>
    </>
  );
}
