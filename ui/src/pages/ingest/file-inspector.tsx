/** One landed file: what is in it, whether it is as it was landed, and where it came from and went. */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type ReactElement, useState } from "react";
import type { GetApiFilesCheckResponse, GetApiFilesPreviewResponse } from "../../api/types.gen.ts";
import { apiHref, request } from "../../client/request.ts";
import { Button, buttonClass } from "../../components/button.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { tellFailure } from "../../components/toast.tsx";
import { plural, printBytes, printCount } from "../../format/duration.ts";
import { type LandedFile, previewQuery, type StreamAt } from "./ingest-queries.ts";
import { PackageRunLink } from "./package-run-link.tsx";
import { EndpointLink, LoadLink, RowsLink } from "./stream-links.tsx";

export function FileInspector({ at, file }: Readonly<{ at: StreamAt; file: LandedFile }>): ReactElement {
  const place = { stream: at.stream, tenant: at.tenant, seq: file.seq, key: file.key };
  const { data, error, isPending, refetch } = useQuery(previewQuery(place));
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 flex-1 font-mono text-section [overflow-wrap:anywhere]">{file.name}</h2>
        <a href={apiHref("files/content", place)} download className={buttonClass()}>
          <Download aria-hidden="true" />
          Download
        </a>
      </div>
      <KeyValue
        facts={[
          ["Bytes", `${printCount(file.bytes)} (${printBytes(file.bytes)})`],
          ...(file.plain_bytes === null ? [] : [["Decompressed", printBytes(file.plain_bytes)] as const]),
          ...(file.records === null ? [] : [["Records", printCount(file.records)] as const]),
          ["Checksum", <Checksum key={file.key} place={place} file={file} />],
          ["Landed", <TimeText key="at" at={file.committed_at} />],
          [
            "Where",
            <span key="key" className="font-mono text-log">
              {file.key} <CopyButton text={file.key} what="key" />
            </span>,
          ],
          [
            "See also",
            <span key="see" className="inline-flex flex-wrap gap-x-3">
              <EndpointLink at={at} tab="cursor">
                the cursor
              </EndpointLink>
              <PackageRunLink at={at} seq={file.seq} />
              {file.kind === "part" && (
                <>
                  <LoadLink at={at} seq={file.seq}>
                    its load
                  </LoadLink>
                  <RowsLink at={at} seq={file.seq}>
                    its rows
                  </RowsLink>
                </>
              )}
            </span>,
          ],
        ]}
      />
      {isPending ? (
        <LoadingState what="the preview" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <Preview preview={data} />
      )}
    </div>
  );
}

type Place = Readonly<{ stream: string; tenant: string; seq: number; key: string }>;

/** The checksum of its manifest, and the way to compare the file with it. */
function Checksum({ place, file }: Readonly<{ place: Place; file: LandedFile }>): ReactElement {
  const [found, setFound] = useState<GetApiFilesCheckResponse>();
  const [isBusy, setBusy] = useState(false);
  const check = async (): Promise<void> => {
    setBusy(true);
    try {
      setFound(await request<GetApiFilesCheckResponse>("files/check", { query: place }));
    } catch (error) {
      tellFailure("The file could not be checked", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <code>crc32c {file.crc32c}</code>
      {file.sha256 !== null && <code>sha256 {file.sha256}</code>}
      <Button disabled={isBusy} onClick={() => void check()}>
        Check
      </Button>
      <span role="status">
        {found !== undefined &&
          (found.is_right ? (
            <span className="font-semibold text-succeeded">✓ as it was landed</span>
          ) : (
            <span className="font-semibold text-failed">✕ {found.problem}</span>
          ))}
      </span>
    </span>
  );
}

function Preview({ preview }: Readonly<{ preview: GetApiFilesPreviewResponse }>): ReactElement {
  const { form, records, text, is_cut: isCut } = preview;
  const code =
    form === "records" ? records.join("\n") : form === "text" ? (text ?? "") : printHex(text ?? "");
  return (
    <section>
      <h3 className="mb-2 font-semibold">
        {form === "records"
          ? `First ${plural(records.length, "record")}`
          : form === "text"
            ? "Text"
            : "First bytes"}
        {!isCut && <span className="font-normal text-muted">, all there are</span>}
      </h3>
      <CodeBlock code={code} what="preview" />
    </section>
  );
}

/** Hexadecimal in rows of sixteen bytes. */
const printHex = (hex: string): string =>
  (hex.match(/.{1,32}/g) ?? [])
    .map((row, at) => `${(at * 16).toString(16).padStart(4, "0")}  ${(row.match(/../g) ?? []).join(" ")}`)
    .join("\n");
