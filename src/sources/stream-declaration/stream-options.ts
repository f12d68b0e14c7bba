/** What every stream can be told, however its pages come. */
import type { CursorFormat } from "../../model/cursor.ts";
import {
  type DeclaredType,
  leatPrefix,
  type SchemaContract,
  type Stability,
  type StreamBounds,
  type WriteDisposition,
} from "../../model/stream.ts";

/** A column's declared type: `"timestamptz"`, `"decimal(38,9)"`, or the object form. */
export type ColumnDeclaration =
  | Exclude<DeclaredType["type"], "decimal">
  | `decimal(${string})`
  | DeclaredType;

/** Options of a stream that do not depend on how its pages are fetched. */
export type StreamOptions = Readonly<{
  /**
   * The field, or fields, that name a record: dotted paths. Default: none; then every record is kept as it comes.
   * @example "id"
   * @example ["order_id", "line"]
   */
  primaryKey?: string | readonly string[];
  /**
   * What a load does with records of the same key. Default `merge` with a primary key (a record read again replaces
   * itself), `append` without one (nothing could be replaced). `replace` reads everything each time and swaps it in.
   */
  writeDisposition?: WriteDisposition;
  /** What happens when new columns or kinds arrive. Default `evolve`: partners add fields without telling. */
  contract?: SchemaContract;
  /**
   * Types of columns that must not be derived from what was seen. Default: all are derived.
   * @example { price: "decimal(18,2)", shipped_at: "timestamptz" }
   */
  columns?: Readonly<Record<string, ColumnDeclaration>>;
  /**
   * Top-level fields that change with every answer ("fetched_at"), left out when records are compared. Default: none,
   * so that no real change is missed.
   */
  volatileFields?: readonly string[];
  /** Top-level field that marks a record as deleted when true or not null. Default: none. */
  deletedField?: string;
  /**
   * Which version of a key is current: the greatest cursor, or the last to arrive. Default `cursor` where there is one
   * (answers may come out of order), else `arrival`.
   */
  currentBy?: "cursor" | "arrival";
  /** Keep current rows in a real table instead of a view: dearer to load, cheaper to query. Default false. */
  materialize?: boolean;
  /** Name of the landing table. Default `<source>_<stream>`. */
  landingTable?: string;
  /**
   * Read the stream once for each value of a list in the tenant, named `{partition}` in templates.
   * `column` holds the value in each row; default `_leat_partition`, a name that no record can have itself.
   * @example { perTenant: "licenses", column: "license_number" }
   */
  partitions?: Readonly<{ perTenant: string; column?: string }>;
  /**
   * Read the stream once for each record of another, whose `field` is `{partition}` in templates.
   * `when`: default `always`, since a parent need not change when its children do; `parent-changed` saves requests
   * where it does.
   * @example { stream: "orders", field: "id", column: "order_id" }
   */
  parent?: Readonly<{
    stream: string;
    field: string;
    when?: "always" | "parent-changed";
    column?: string;
  }>;
  /** How pages are known to be complete while the data change. Default: by the pagination; see each kind. */
  stability?: Stability;
  /**
   * Commit within a range on the strength of the sort that leat asks for. Default false: if the partner does not keep
   * its order, a run that dies loses records.
   */
  trustOrder?: boolean;
  /** Upper bounds of one run; see {@link boundDefaults} for each default and its reason. */
  bounds?: Partial<StreamBounds>;
}>;

/** The cursor of a stream, but for how it is sent. */
export type CursorOptions = Readonly<{
  /** Dotted path of the field that grows with every change. */
  field: string;
  /** How the field is written. Default `iso`, the commonest. */
  format?: CursorFormat;
  /** IANA zone of values without one, and of `date` parameters. Default `UTC`. */
  zone?: string;
  /**
   * Least value that counts; lower ones are landed and do not move the cursor. Default `1970-01-02` for times, which
   * leaves out both `0001-01-01` and the epoch itself, the usual words for "never"; `0` for integers.
   */
  minimum?: string | number;
  /** Where the first range begins. Default: nothing is sent until a first full read has completed. */
  initial?: string | number;
  /**
   * Span to read again, because partners commit late and their clocks differ: `"15m"` or milliseconds; a plain number
   * for integers. Default `1m` for times (what is read twice is dropped before it is landed), `0` for integers.
   */
  lag?: string | number;
  /**
   * Longest range that the API answers: `"24h"`, or a number for integers. Default: any. Needs `start`, `end` and
   * `initial`, since windows must begin somewhere.
   */
  spanMax?: string | number;
}>;

/** Defaults of {@link StreamOptions.bounds}. */
export const boundDefaults: StreamBounds = Object.freeze({
  /** Ten million records at a hundred a page; loops are found by their repeated links long before. */
  pagesMax: 100_000,
  /** Data that change during five passes change always. */
  passesMax: 5,
  /** 27 years of days. */
  windowsMax: 10_000,
  /** One broken record in a hundred is a partner's slip; more is a change of format. */
  quarantineShareMax: 0.01,
  /** 64 MiB: what a death may cost to fetch again. */
  checkpointBytes: 64 * 1024 * 1024,
  /** Six hours: shorter than a nightly schedule's period. */
  runMsMax: 6 * 3_600_000,
  /** Half of the records gone at once is more often a fault than the truth. */
  shrinkShareMin: 0.5,
  /** Five minutes, as Kerberos has it: machines that keep time at all are nearer than that. */
  clockToleranceMs: 300_000,
});

/** Column of the partition's value where none is named. */
export const partitionColumnDefault: string = `${leatPrefix}partition`;
