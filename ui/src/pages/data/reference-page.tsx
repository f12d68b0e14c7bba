/** The APIs as they describe themselves: the one that this console uses, and the one of each dataset. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactElement, type ReactNode, useMemo } from "react";
import { apiHref, request } from "../../client/request.ts";
import { buttonClass } from "../../components/button.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Document, type Operation, printSchema, readOperations } from "./open-api.ts";
import { printCurl, printTypeScript } from "./request-code.ts";

const route = getRouteApi("/reference");

/** Text of the description, in which what stands in backticks is code. */
const withCode = (text: string): ReactNode =>
  text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));

export function ReferencePage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery({
    queryKey: ["openapi"],
    queryFn: ({ signal }) => request<Document>("openapi.json", { signal }),
    staleTime: Number.POSITIVE_INFINITY, // It changes with the server.
  });
  const operations = useMemo(() => (data === undefined ? [] : readOperations(data)), [data]);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  if (data === undefined) {
    return (
      <>
        <PageHeader title="API" />
        {error === null ? (
          <LoadingState what="the description" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  }
  const wanted = (search.find ?? "").toLowerCase();
  const shown = operations.filter((one) =>
    `${one.id} ${one.summary} ${one.tag}`.toLowerCase().includes(wanted),
  );
  const chosen = operations.find((one) => one.id === search.of);
  const groups = Map.groupBy(shown, ({ tag }) => tag);
  return (
    <>
      <PageHeader
        title="API"
        about={withCode(data.info.description ?? "")}
        actions={
          <a href={apiHref("openapi.json")} className={buttonClass()}>
            openapi.json
          </a>
        }
      />
      <div className="wide:flex-row flex min-h-0 flex-1 flex-col border-t border-line">
        <nav
          aria-label="Operations"
          className="wide:w-100 wide:border-b-0 wide:border-r max-h-[40vh] shrink-0 overflow-y-auto border-b border-line p-3 wide:max-h-none"
        >
          <input
            aria-label="Find an operation"
            placeholder="Find an operation"
            value={search.find ?? ""}
            onChange={(event) => change({ find: event.target.value || undefined })}
            className={`${fieldClass} mb-2 w-full`}
          />
          {shown.length === 0 && (
            <EmptyState
              kind="filtered"
              title="No operation fits"
              onClear={() => change({ find: undefined })}
            />
          )}
          {[...groups].map(([tag, own]) => (
            <section key={tag} className="mb-3">
              <h2 className="px-2 text-meta text-muted">{tag}</h2>
              <ul>
                {own.map((one) => (
                  <li key={one.id}>
                    <button
                      type="button"
                      aria-current={one.id === search.of}
                      onClick={() => change({ of: one.id })}
                      className="flex w-full min-w-0 items-baseline gap-2 rounded-control px-2 py-1 text-start hover:bg-sunk aria-[current=true]:bg-selected"
                    >
                      <span className="w-12 shrink-0 font-mono text-meta font-semibold">{one.method}</span>
                      <span className="min-w-0 font-mono text-log [overflow-wrap:anywhere]">{one.path}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </nav>
        <div className="min-w-0 flex-1 overflow-y-auto p-4">
          {chosen === undefined ? (
            <EmptyState
              kind={search.of === undefined ? "unselected" : "none"}
              title={search.of === undefined ? "No operation is chosen" : `There is no ${search.of}`}
            >
              Choose one to see what it takes and gives.
            </EmptyState>
          ) : (
            <OperationView operation={chosen} document={data} />
          )}
        </div>
      </div>
    </>
  );
}

function OperationView({
  operation,
  document,
}: Readonly<{ operation: Operation; document: Document }>): ReactElement {
  const { method, path, summary, description, parameters, body, answers } = operation;
  const href = apiHref(path.replace(/^\/api\//, ""))
    .replaceAll("%7B", "{")
    .replaceAll("%7D", "}");
  const options = { method, ...(body !== undefined && { body: "{}" }) };
  return (
    <article className="flex max-w-240 flex-col gap-4">
      <header>
        <h2 className="text-section [overflow-wrap:anywhere]">{summary}</h2>
        <p className="font-mono text-log [overflow-wrap:anywhere]">
          <b>{method}</b> {path}
        </p>
        {description !== undefined && <p className="mt-1 max-w-prose text-muted">{withCode(description)}</p>}
      </header>
      <div className="flex flex-wrap gap-2">
        <CopyButton look="plain" name="Copy as curl" what="curl" text={printCurl(href, options)} />
        <CopyButton
          look="plain"
          name="Copy as TypeScript"
          what="TypeScript"
          text={printTypeScript(href, options)}
        />
      </div>
      {parameters.length > 0 && (
        <Part title="Parameters">
          <table className="w-full border-collapse">
            <thead>
              <tr className="text-start text-meta text-muted">
                <th scope="col" className="py-1 pr-3 text-start">
                  Name
                </th>
                <th scope="col" className="py-1 pr-3 text-start">
                  In
                </th>
                <th scope="col" className="py-1 pr-3 text-start">
                  Type
                </th>
                <th scope="col" className="py-1 text-start">
                  Meaning
                </th>
              </tr>
            </thead>
            <tbody>
              {parameters.map((one) => (
                <tr key={`${one.in} ${one.name}`} className="border-t border-line align-top">
                  <td className="py-1 pr-3 font-mono text-log">
                    {one.name}
                    {one.required && <span className="ml-1 font-sans text-meta text-muted">required</span>}
                  </td>
                  <td className="py-1 pr-3">{one.in}</td>
                  <td className="py-1 pr-3 font-mono text-log">{printSchema(one.schema, document)}</td>
                  <td className="py-1">
                    {withCode(one.description ?? one.schema?.description ?? "")}
                    {one.schema?.default !== undefined && (
                      <span className="text-muted"> Default: {JSON.stringify(one.schema.default)}.</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Part>
      )}
      {body !== undefined && (
        <Part title="Body">
          <CodeBlock code={printSchema(body, document)} what="shape of the body" />
        </Part>
      )}
      {answers.map(({ status, description: about, schema }) => (
        <Part key={status} title={`Answer ${status}`}>
          {about !== "" && about !== "Default Response" && <p className="mb-1 text-muted">{about}</p>}
          {schema !== undefined && (
            <CodeBlock code={printSchema(schema, document)} what={`shape of the answer ${status}`} />
          )}
        </Part>
      ))}
    </article>
  );
}

function Part({ title, children }: Readonly<{ title: string; children: ReactNode }>): ReactElement {
  return (
    <section>
      <h3 className="mb-1 font-semibold">{title}</h3>
      {children}
    </section>
  );
}
