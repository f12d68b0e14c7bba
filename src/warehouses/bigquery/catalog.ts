/**
 * leat's own tables, all in the warehouse's dataset:
 *
 * - `_leat_warehouse`: a view of one row, this warehouse's random id (I18) and the version of these tables' form. A
 *   view, since making one with its content is one step that only one of many succeeds with.
 * - `_leat_streams`: which tables belong to which stream.
 * - `_leat_columns`: per key of a stream its column, type and the kinds folded so far; a copy of what the manifests of
 *   the loaded packages say (I14).
 * - `_leat_loads`: the ledger (I11), `_leat_rejects`: landed records that do not fit, as they were landed.
 * - `_leat_datasets`: which version of a dataset its view shows, and from which table.
 * - `_leat_turn_<hash>`: of each stream one row that counts its commits, and one per tenant of what the ledger adds up
 *   to (turn-table.ts). Every commit changes them, so that of two at the same time one is undone; and every plan names
 *   the count that it was made at.
 *
 * The small ones are read by `tabledata.list`, which costs nothing.
 */
import { randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { parseColumnType } from "../../model/column-types.ts";
import { toWarehouseId, type WarehouseId } from "../../model/ids.ts";
import type { CatalogColumn, PlaceColumns } from "../../model/plan-schema.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { TableField } from "./field-types.ts";
import { quotePath, quoteText } from "./sql-text.ts";
import type { NewTable, TablePlace, Tables } from "./tables.ts";
import {
  parseTurns,
  type TenantHeads,
  type TurnOwner,
  type Turns,
  turnFields,
  turnTable,
} from "./turn-table.ts";

/** Form of leat's tables; those of a newer one are refused. */
export const catalogVersion = 1;

/** A stream as the warehouse keeps it. */
export type CatalogStream = PlaceColumns &
  Readonly<{
    source: string;
    stream: string;
    /** What people query. */
    landingTable: string;
    /** The table under it; another one after a type has changed. */
    physicalTable: string;
  }>;

const text = (name: string): TableField => ({ name, type: "STRING", mode: "REQUIRED" });
const whole = (name: string): TableField => ({ name, type: "INT64", mode: "REQUIRED" });
const place = [text("source"), text("stream")];

const catalogTables: Readonly<Record<string, NewTable>> = {
  _leat_streams: {
    fields: [
      ...place,
      text("landing_table"),
      text("physical_table"),
      text("tenant_column"),
      { name: "partition_column", type: "STRING", mode: "NULLABLE" },
    ],
  },
  _leat_columns: {
    fields: [
      ...place,
      text("key"),
      text("column_name"),
      text("column_type"),
      whole("kinds"),
      whole("int_digits_max"),
      whole("scale_max"),
      { name: "has_exact_numbers", type: "BOOL", mode: "REQUIRED" },
    ],
  },
  _leat_loads: {
    fields: [
      ...place,
      text("tenant"),
      whole("seq"),
      text("manifest_hash"),
      whole("loaded"),
      whole("rejected"),
      whole("generation"),
      { name: "completes", type: "BOOL", mode: "REQUIRED" },
      { name: "loaded_at", type: "TIMESTAMP", mode: "REQUIRED" },
    ],
    clusterBy: ["source", "stream", "tenant", "seq"],
  },
  _leat_rejects: {
    fields: [
      ...place,
      text("tenant"),
      whole("seq"),
      { name: "row", type: "INT64", mode: "NULLABLE" },
      text("reason"),
      { name: "column", type: "STRING", mode: "NULLABLE" },
      text("record"),
    ],
    clusterBy: ["source", "stream", "tenant"],
  },
  _leat_datasets: {
    fields: [
      text("dataset"),
      text("schema_name"),
      text("version"),
      whole("seq"),
      whole("row_count"),
      text("physical_table"),
      { name: "published_at", type: "TIMESTAMP", mode: "REQUIRED" },
    ],
  },
};

/** A version of a dataset as the ledger has it. */
export type CatalogDataset = Readonly<{
  schema: string;
  version: string;
  seq: number;
  physicalTable: string;
}>;

/** A stream's tables, columns and heads as they were at the count of commits `turn`. */
export type StreamState = Readonly<{
  turn: number;
  heads: TenantHeads | undefined;
  mine: CatalogStream | undefined;
  others: readonly CatalogStream[];
  columns: readonly CatalogColumn[];
}>;

export class Catalog {
  readonly #tables: Tables;
  readonly #project: string;
  readonly #dataset: string;
  #id: WarehouseId | undefined;
  #isMade = false;

  constructor(tables: Tables, project: string, dataset: string) {
    this.#tables = tables;
    this.#project = project;
    this.#dataset = dataset;
  }

  /** A table of the warehouse's dataset. */
  place(table: string): TablePlace {
    return { dataset: this.#dataset, table };
  }

  /** The same as SQL names it. */
  path(table: string): string {
    return quotePath(this.#project, this.#dataset, table);
  }

  /** The id, where the warehouse has one. */
  async readId(): Promise<WarehouseId | undefined> {
    if (this.#id !== undefined) return this.#id;
    const found = await this.#tables.find(this.place("_leat_warehouse"));
    if (found === undefined) {
      await this.#tables.checkDataset(); // Missing, or elsewhere: say so at the first touch.
      return undefined;
    }
    const match = /^SELECT '([0-9a-f]{20})' AS id, (\d+) AS format_version$/.exec(found.query ?? "");
    if (match === null || Number(match[2]) > catalogVersion)
      throw new LeatError("WAREHOUSE_UNREADABLE", {
        message: `The dataset ${this.#project}.${this.#dataset} was made by a newer leat, or its view _leat_warehouse was changed.`,
        hint: "Update leat, or load into a new dataset.",
        details: { project: this.#project, dataset: this.#dataset },
      });
    this.#id = toWarehouseId(match[1]!);
    return this.#id;
  }

  /** Makes what is missing of leat's tables, and the id. Safe to do twice and at once. */
  async make(): Promise<WarehouseId> {
    let id = await this.readId();
    if (id === undefined) {
      await this.#tables.checkDataset();
      // Where there is an id there is a ledger: a death between the two must not look like a ledger that was dropped.
      await this.#makeTables();
      const query = `SELECT '${randomBytes(10).toString("hex")}' AS id, ${catalogVersion} AS format_version`;
      await this.#tables.makeView(this.place("_leat_warehouse"), query, "leat's id of this warehouse");
      id = await this.readId();
    }
    if (id === undefined)
      throw new LeatError("WAREHOUSE_UNREADABLE", {
        message: "The id of the warehouse cannot be read back.",
      });
    if (!this.#isMade) await this.#makeTables(); // An older leat has made fewer.
    return id;
  }

  async #makeTables(): Promise<void> {
    for (const [name, table] of Object.entries(catalogTables))
      await this.#tables.make(this.place(name), table);
    this.#isMade = true;
  }

  /** Reads what is known of a stream. The count comes first: what changes after it makes the plan void. */
  async readState(spec: StreamSpec): Promise<StreamState> {
    const { turn, heads } = await this.readTurns(spec);
    const streams = (await this.#list("_leat_streams")).map(readStream);
    const isMine = (row: Readonly<{ source: string; stream: string }>) =>
      row.source === spec.source && row.stream === spec.name;
    const columns = (await this.#list("_leat_columns")).filter(
      (row) => row["source"] === spec.source && row["stream"] === spec.name,
    );
    return {
      turn,
      heads,
      mine: streams.find(isMine),
      others: streams.filter((row) => !isMine(row)),
      columns: columns.map(readColumn).sort((a, b) => (a.key < b.key ? -1 : 1)),
    };
  }

  /** How many commits there were, and what they add up to; of what was never loaded there is no table. */
  async readTurns(of: TurnOwner): Promise<Turns> {
    return parseTurns((await this.#listTurns(of)) ?? []);
  }

  /** What the ledger has of a dataset. A warehouse made by an older leat may not have that ledger yet. */
  async readDataset(dataset: string): Promise<CatalogDataset | undefined> {
    if ((await this.#tables.find(this.place("_leat_datasets"))) === undefined) return undefined;
    const row = (await this.#list("_leat_datasets")).find((one) => one["dataset"] === dataset);
    if (row === undefined) return undefined;
    return {
      schema: row["schema_name"] ?? "",
      version: row["version"] ?? "",
      seq: Number(row["seq"]),
      physicalTable: row["physical_table"] ?? "",
    };
  }

  /** Makes the table of a stream's turns, with its row, and what an older leat's has not. */
  async makeTurns(of: TurnOwner, insertRow: (sql: string) => Promise<void>): Promise<void> {
    const rows = await this.#listTurns(of);
    if (parseTurns(rows ?? []).heads !== undefined) return;
    const turns = turnTable(of);
    if (rows === undefined)
      await this.#tables.make(this.place(turns), {
        fields: turnFields,
        description: `Commits of ${of.source === "" ? "the dataset " : `${of.source}.`}${of.name}`,
      });
    else await this.#tables.addFields(this.place(turns), turnFields);
    if (rows !== undefined && rows.length > 0) return;
    // Two rows, when two make them at once, do as well as one: every commit changes all of them alike. Neither says that
    // there are no heads: the table may have been dropped, and the ledger not.
    const path = this.path(turns);
    await insertRow(
      `INSERT INTO ${path} (n) SELECT 0 FROM (SELECT 1) WHERE NOT EXISTS (SELECT 1 FROM ${path})`,
    );
  }

  async #listTurns(of: TurnOwner): Promise<Record<string, string | null>[] | undefined> {
    return await this.#tables.listFound(
      this.place(turnTable(of)),
      turnFields.map(({ name }) => name),
    );
  }

  async #list(table: string): Promise<Record<string, string | null>[]> {
    const fields = catalogTables[table]!.fields.map(({ name }) => name);
    return await this.#tables.list(this.place(table), fields);
  }
}

/** `source = … AND stream = …`. */
export function ofStream(spec: Pick<StreamSpec, "source" | "name">): string {
  return `source = ${quoteText(spec.source)} AND stream = ${quoteText(spec.name)}`;
}

function readStream(row: Record<string, string | null>): CatalogStream {
  return {
    source: row["source"] ?? "",
    stream: row["stream"] ?? "",
    landingTable: row["landing_table"] ?? "",
    physicalTable: row["physical_table"] ?? "",
    tenantColumn: row["tenant_column"] ?? "",
    partitionColumn: row["partition_column"] ?? undefined,
  };
}

function readColumn(row: Record<string, string | null>): CatalogColumn {
  const type = parseColumnType(row["column_type"] ?? "");
  if (type === undefined)
    throw new LeatError("WAREHOUSE_UNREADABLE", {
      message: `_leat_columns names the unknown type ${row["column_type"]}.`,
      hint: "It was written by a newer leat or by hand: update leat, or run `leat rebuild`.",
    });
  const seen = {
    kinds: Number(row["kinds"]),
    intDigitsMax: Number(row["int_digits_max"]),
    scaleMax: Number(row["scale_max"]),
    hasExactNumbers: row["has_exact_numbers"] === "true",
  };
  return { key: row["key"] ?? "", name: row["column_name"] ?? "", type, seen };
}
