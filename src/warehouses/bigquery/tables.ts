/** Datasets, tables and views by the REST interface: made, looked at, given more columns, dropped. */
import { LeatError } from "../../errors/leat-error.ts";
import type { TableField } from "./field-types.ts";
import type { Answer, GoogleApi } from "./google-api.ts";
import { GoogleFailure, toLeatError } from "./google-errors.ts";

/** Where a table is, within the project. */
export type TablePlace = Readonly<{ dataset: string; table: string }>;

/** A table or view as it is. */
export type TableFacts = Readonly<{
  kind: "TABLE" | "VIEW" | "OTHER";
  fields: readonly TableField[];
  rowCount: number;
  /** SQL of a view. */
  query: string | undefined;
  labels: Readonly<Record<string, string>>;
  createdAtMs: number;
  description: string;
  /** When it drops itself, ms since the epoch. */
  expiresAtMs: number | undefined;
}>;

/** How a table is made. */
export type NewTable = Readonly<{
  fields: readonly TableField[];
  /** TIMESTAMP column by whose day the table is partitioned. */
  partitionBy?: string;
  /** Columns that it is clustered by, at most four. */
  clusterBy?: readonly string[];
  /** Dropped by itself after this time, ms since the epoch. */
  expiresAtMs?: number;
  description?: string;
}>;

export class Tables {
  readonly #api: GoogleApi;

  constructor(api: GoogleApi) {
    this.#api = api;
  }

  /**
   * Checks that the warehouse's dataset is there and where it is said to be.
   *
   * @throws LeatError `WAREHOUSE_UNREADABLE` when it is missing, `CONFIG_INVALID` for another location.
   */
  async checkDataset(): Promise<void> {
    const { project, dataset, location } = this.#api.address;
    const found = await this.#findDataset(dataset);
    if (found === undefined)
      throw new LeatError("WAREHOUSE_UNREADABLE", {
        message: `The dataset ${project}.${dataset} does not exist.`,
        hint: `Make it: bq --location=${location} mk --dataset ${project}:${dataset}`,
        details: { project, dataset, location },
      });
    this.#checkLocation(dataset, found);
  }

  /** Makes the dataset of a source's views, where it is missing. */
  async makeDataset(dataset: string, labels: Readonly<Record<string, string>>): Promise<Answer> {
    const { project, location } = this.#api.address;
    const found = await this.#findDataset(dataset);
    if (found !== undefined) {
      this.#checkLocation(dataset, found);
      return found;
    }
    const body = { datasetReference: { projectId: project, datasetId: dataset }, location, labels };
    const what = `make the dataset ${project}.${dataset}`;
    await this.#create({ method: "POST", path: "/datasets", body, what });
    return (await this.#findDataset(dataset)) ?? {};
  }

  async #findDataset(dataset: string): Promise<Answer | undefined> {
    const { project } = this.#api.address;
    return await this.#api.find({
      method: "GET",
      path: `/datasets/${dataset}`,
      what: `read the dataset ${project}.${dataset}`,
    });
  }

  #checkLocation(dataset: string, found: Answer): void {
    const { project, location } = this.#api.address;
    const actual = String(found["location"] ?? "");
    if (actual.toLowerCase() === location.toLowerCase()) return;
    throw new LeatError("CONFIG_INVALID", {
      message: `The dataset ${project}.${dataset} is in ${actual}, but the warehouse's address says location=${location}.`,
      hint: `Write location=${actual} in the address, and keep the landing's bucket in the same place.`,
      details: { project, dataset, location, actual },
    });
  }

  /** A table or view, `undefined` when there is none. */
  async find(place: TablePlace): Promise<TableFacts | undefined> {
    const answer = await this.#api.find({ method: "GET", path: pathOf(place), what: `read ${print(place)}` });
    return answer === undefined ? undefined : readFacts(answer);
  }

  /** Makes a table. @returns whether it was not there before. */
  async make(place: TablePlace, table: NewTable): Promise<boolean> {
    const { fields, partitionBy, clusterBy = [], expiresAtMs, description } = table;
    return await this.#create({
      method: "POST",
      path: `/datasets/${place.dataset}/tables`,
      body: {
        tableReference: this.#reference(place),
        schema: { fields },
        ...(partitionBy !== undefined && { timePartitioning: { type: "DAY", field: partitionBy } }),
        ...(clusterBy.length > 0 && { clustering: { fields: clusterBy } }),
        ...(expiresAtMs !== undefined && { expirationTime: String(expiresAtMs) }),
        ...(description !== undefined && { description }),
      },
      what: `make the table ${print(place)}`,
    });
  }

  /** Makes a view. @returns whether there was nothing of its name before. */
  async makeView(place: TablePlace, query: string, description: string): Promise<boolean> {
    return await this.#create({
      method: "POST",
      path: `/datasets/${place.dataset}/tables`,
      body: { tableReference: this.#reference(place), view: { query, useLegacySql: false }, description },
      what: `make the view ${print(place)}`,
    });
  }

  /** Gives a view another query, in one step. */
  async changeView(place: TablePlace, query: string): Promise<void> {
    await this.#api.call({
      method: "PATCH",
      path: pathOf(place),
      body: { view: { query, useLegacySql: false } },
      what: `change the view ${print(place)}`,
    });
  }

  /** Says what a view's columns are; the service takes that only of a view that is there. */
  async describeView(place: TablePlace, fields: readonly TableField[], description: string): Promise<void> {
    await this.#api.call({
      method: "PATCH",
      path: pathOf(place),
      body: { schema: { fields }, description },
      what: `describe the view ${print(place)}`,
    });
  }

  /** Puts a label on a table or view; its others stay. */
  async label(place: TablePlace, name: string, value: string): Promise<void> {
    await this.#api.call({
      method: "PATCH",
      path: pathOf(place),
      body: { labels: { [name]: value } },
      what: `label ${print(place)}`,
    });
  }

  /** Says when a table drops itself, ms since the epoch; `null`: never. One that is not there is fine. */
  async expire(place: TablePlace, expiresAtMs: number | null): Promise<void> {
    await this.#api.find({
      method: "PATCH",
      path: pathOf(place),
      body: { expirationTime: expiresAtMs === null ? null : String(expiresAtMs) },
      what: `say how long ${print(place)} is kept`,
    });
  }

  /** Tables of a dataset whose name begins so, and when they were made. */
  async listNamed(
    dataset: string,
    prefix: string,
  ): Promise<readonly Readonly<{ name: string; createdAtMs: number }>[]> {
    const named: { name: string; createdAtMs: number }[] = [];
    let pageToken: string | undefined;
    do {
      const answer = await this.#api.call({
        method: "GET",
        path: `/datasets/${dataset}/tables`,
        query: { maxResults: "1000", ...(pageToken !== undefined && { pageToken }) },
        what: `list the tables of ${dataset}`,
      });
      type Listed = Readonly<{ tableReference: { tableId: string }; creationTime?: string }>;
      for (const { tableReference, creationTime } of (answer["tables"] ?? []) as readonly Listed[])
        if (tableReference.tableId.startsWith(prefix))
          named.push({ name: tableReference.tableId, createdAtMs: Number(creationTime ?? 0) });
      pageToken = answer["nextPageToken"] as string | undefined; // Absent on the last page.
    } while (pageToken !== undefined && pageToken !== "");
    return named;
  }

  /** Adds columns that are missing. Others may add columns at the same time: then it looks again. */
  async addFields(place: TablePlace, fields: readonly TableField[]): Promise<void> {
    for (let rounds = 1; ; rounds += 1) {
      const facts = await this.find(place);
      const has = new Set(facts?.fields.map(({ name }) => name.toLowerCase()));
      const missing = fields.filter(({ name }) => !has.has(name.toLowerCase()));
      if (missing.length === 0) return;
      const what = `add columns to ${print(place)}`;
      const body = { schema: { fields: [...(facts?.fields ?? []), ...missing] } };
      try {
        await this.#api.send({ method: "PATCH", path: pathOf(place), body, what });
        return;
      } catch (error) {
        if (!(error instanceof GoogleFailure)) throw error;
        // Of two that add columns the later one would take the earlier's away, which is refused.
        const isOvertaken = error.status === 400 || error.status === 412;
        if (!isOvertaken || rounds === overtakenMax) throw toLeatError(error, what);
        await this.#api.wait(200 * rounds);
      }
    }
  }

  /** Drops a table or view; one that is not there is fine. */
  async drop(place: TablePlace): Promise<void> {
    await this.#api.find({ method: "DELETE", path: pathOf(place), what: `drop ${print(place)}` });
  }

  /** Rows of a small table, free of charge: all as text by column, in no order. */
  async list(place: TablePlace, fields: readonly string[]): Promise<Record<string, string | null>[]> {
    const rows = await this.listFound(place, fields);
    if (rows !== undefined) return rows;
    throw new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The table ${print(place)} is not there.`,
      hint: "Somebody dropped it: restore it by time travel, or load into a new dataset.",
    });
  }

  /** The same; `undefined` where there is no such table. Pages may be of two commits. */
  async listFound(
    place: TablePlace,
    fields: readonly string[],
  ): Promise<Record<string, string | null>[] | undefined> {
    const rows: Record<string, string | null>[] = [];
    let pageToken: string | undefined;
    do {
      const answer = await this.#api.find({
        method: "GET",
        path: `${pathOf(place)}/data`,
        query: { maxResults: "10000", ...(pageToken !== undefined && { pageToken }) },
        what: `read rows of ${print(place)}`,
      });
      if (answer === undefined) return undefined;
      for (const row of (answer["rows"] ?? []) as readonly { f: readonly { v: string | null }[] }[])
        rows.push(Object.fromEntries(fields.map((name, at) => [name, row.f[at]?.v ?? null])));
      pageToken = answer["pageToken"] as string | undefined; // Absent on the last page.
    } while (pageToken !== undefined && pageToken !== "");
    return rows;
  }

  #reference({ dataset, table }: TablePlace) {
    return { projectId: this.#api.address.project, datasetId: dataset, tableId: table };
  }

  async #create(request: Parameters<GoogleApi["send"]>[0]): Promise<boolean> {
    try {
      await this.#api.send(request);
      return true;
    } catch (error) {
      if (!(error instanceof GoogleFailure)) throw error;
      if (error.status === 409) return false;
      throw toLeatError(error, request.what);
    }
  }
}

/** Times that a change of columns is tried again when somebody else's came between. */
const overtakenMax = 5;

const pathOf = ({ dataset, table }: TablePlace): string =>
  `/datasets/${dataset}/tables/${encodeURIComponent(table)}`;

/** `dataset.table`, for messages. */
export const print = ({ dataset, table }: TablePlace): string => `${dataset}.${table}`;

function readFacts(answer: Answer): TableFacts {
  const schema = (answer["schema"] ?? {}) as { fields?: readonly TableField[] };
  const view = answer["view"] as { query?: string } | undefined;
  const type = answer["type"];
  return {
    kind: type === "TABLE" || type === "VIEW" ? type : "OTHER",
    fields: schema.fields ?? [],
    rowCount: Number(answer["numRows"] ?? 0),
    query: view?.query,
    labels: (answer["labels"] ?? {}) as Readonly<Record<string, string>>,
    createdAtMs: Number(answer["creationTime"] ?? 0),
    description: String(answer["description"] ?? ""),
    expiresAtMs: answer["expirationTime"] === undefined ? undefined : Number(answer["expirationTime"]),
  };
}
