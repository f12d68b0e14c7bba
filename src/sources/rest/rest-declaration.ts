/** What a person writes to describe a REST API: `rest({ name, baseUrl, auth, streams })`. */
import type { ParameterFormat } from "../../model/cursor.ts";
import type { JsonValue } from "../../model/json-value.ts";
import type { Tenant } from "../../ports/source.ts";
import type { AccessDeclaration } from "../http/access-declaration.ts";
import type { SourceTenantsOption } from "../stream-declaration/source-tenants.ts";
import type { CursorOptions, StreamOptions } from "../stream-declaration/stream-options.ts";
import type { PaginationDeclaration } from "./pagination-declaration.ts";

/**
 * A REST API with its streams.
 *
 * Texts may hold placeholders: `{tenant.<field>}` anywhere; `{env:NAME}` and `{file:PATH}` for secrets; in streams also
 * `{partition}`, `{cursor.start}`, `{cursor.end}`, `{page}`, `{offset}`, `{size}`, `{token}`. A tenant's field may itself
 * be a reference (`"apiKey": "env:KEY_414"`). What names a value that is not there yet (no cursor in the first run) is
 * left out of the request. Braces themselves are written twice.
 *
 * @example
 * rest({
 *   name: "metrc",
 *   baseUrl: "https://api-{tenant.state}.metrc.com",
 *   auth: { type: "basic", username: "env:METRC_VENDOR_KEY", password: "{tenant.apiKey}" },
 *   rateLimit: { requests: 50, perMs: 1000 },
 *   streams: {
 *     plants: {
 *       path: "/plants/v2/vegetative",
 *       params: { licenseNumber: "{partition}" },
 *       partitions: { perTenant: "licenses", column: "license_number" },
 *       records: "Data",
 *       primaryKey: "Label",
 *       cursor: {
 *         field: "LastModified",
 *         initial: "2022-01-01",
 *         spanMax: "24h",
 *         start: { param: "lastModifiedStart", inclusive: true },
 *         end: { param: "lastModifiedEnd" },
 *       },
 *       pagination: { type: "pageNumber", param: "pageNumber", sizeParam: "pageSize", size: 20, totalPagesPath: "TotalPages" },
 *     },
 *   },
 * });
 */
export type RestDeclaration = AccessDeclaration &
  SourceTenantsOption &
  Readonly<{
    /** The source's name: the schema of its views and the first part of `source.stream`. */
    name: string;
    /**
     * Where the API is, without the paths of streams; may depend on the tenant.
     * @example "https://api-{tenant.state}.metrc.com"
     * @example (tenant) => regions[String(tenant.fields.region)]
     */
    baseUrl: string | ((tenant: Tenant) => string);
    /**
     * Other origins that next links may lead to; credentials are sent there too. Default none: a link to elsewhere fails,
     * since whoever answers could otherwise have the credentials sent anywhere.
     * @example ["https://eu.api.example.com"]
     */
    allowedOrigins?: readonly string[];
    /** How far the partner's clock and ours may differ. Default 5 minutes; set per stream by `bounds.clockToleranceMs`. */
    clockToleranceMs?: number;
    streams: Readonly<Record<string, RestStreamDeclaration>>;
  }>;

/** A value of a query parameter or form member; a list repeats it. */
export type ParamValue = string | number | boolean | readonly (string | number | boolean)[];

/** One stream of a REST API. */
export type RestStreamDeclaration = StreamOptions &
  Readonly<{
    /** Behind the base URL. Values of placeholders are percent-encoded. @example "/orders/{partition}/items" */
    path: string;
    /** Default `GET`; `POST` where the API searches with a body. */
    method?: "GET" | "POST";
    /** Query parameters. @example { status: "any", expand: ["lines", "customer"] } */
    params?: Readonly<Record<string, ParamValue>>;
    /** Sent with this stream's requests, over those of the source. */
    headers?: Readonly<Record<string, string>>;
    /**
     * The body of a `POST`. In JSON a text that is one placeholder takes the value's own type.
     * @example { form: { limit: 100 } }
     * @example { json: { query: "…", variables: { after: "{token}" } } }
     */
    body?: Readonly<{ json: JsonValue }> | Readonly<{ form: Readonly<Record<string, ParamValue>> }>;
    /**
     * Where the records are: `data.items`, `[*].plants[*]`, `lines` (JSON Lines), `$` (the answer is the record).
     * Default: the answer itself is an array of them.
     */
    records?: string;
    /** How far the stream has been read, and how a request says so. Default none: every run reads everything. */
    cursor?: CursorOptions &
      Readonly<{
        /** The beginning of a range. Without it the API cannot select by the cursor. */
        start?: BoundDeclaration &
          Readonly<{
            /** Whether a record equal to the parameter is in the answer. Default false: the guess that loses nothing. */
            inclusive?: boolean;
          }>;
        /** The end of a range; see `spanMax`. */
        end?: BoundDeclaration;
      }>;
    /** How one page leads to the next. Always said: an API that pages would otherwise lose all but the first page. */
    pagination: PaginationDeclaration;
    /**
     * The parameter that asks for a total order. `by`: what it orders by; default `cursor` where there is one (then runs
     * may commit on its strength, see `trustOrder`), else `key`. Default: no order is asked for.
     * @example { param: "sort", value: "updated_at:asc" }
     */
    sort?: Readonly<{ param: string; value: string; in?: "query" | "body"; by?: "cursor" | "key" }>;
    /**
     * Pages fetched at once, where the first page tells how many there are (`pageNumber`, `offset` with a total).
     * Default 1. Bounded by `rateLimit.concurrency` as well.
     */
    concurrency?: number;
    /**
     * Tells an error in an answer of 200 by the answer without its records. A function returns what is wrong, or
     * undefined; an object names a path and what it must not be.
     * @example { path: "ok", equals: false, messagePath: "error" }
     * @example (envelope) => envelope.errors?.[0]?.message
     */
    failedWhen?: FailedWhen;
    /** Statuses that mean "no records", such as 404 for a parent that is gone. Default none. 204 always does. */
    emptyStatuses?: readonly number[];
  }>;

/** One end of a range in a request: a parameter by name, or `{cursor.start}` / `{cursor.end}` in a template. */
export type BoundDeclaration = Readonly<{
  /** Name of the parameter; left out where a template holds the value. */
  param?: string;
  /** Default: `query` for GET, `body` for POST. */
  in?: "query" | "body" | "header";
  /** Default: by the cursor's format; times to the second (`iso-s`). An end takes the start's. */
  format?: ParameterFormat;
}>;

/** See {@link RestStreamDeclaration.failedWhen}. Exactly one of `equals`, `notEquals`, `exists`. */
export type FailedWhen =
  // biome-ignore lint/suspicious/noExplicitAny: what an envelope holds is known to the person who declares it.
  | ((envelope: any) => string | undefined)
  | Readonly<{
      path: string;
      equals?: JsonValue;
      notEquals?: JsonValue;
      exists?: boolean;
      /** Where the answer says what is wrong. */
      messagePath?: string;
    }>;
