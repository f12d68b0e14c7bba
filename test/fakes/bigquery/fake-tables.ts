/** Datasets, tables and views of the fake. */
import type { DuckDBInstance } from "@duckdb/node-api";
import { engineType, type RestField, restCell, restField } from "./engine.ts";
import { schemaOf, translateScript } from "./google-sql.ts";
import { RestFault, type RestRequest } from "./rest-fault.ts";

/** A table or view as it was declared. */
export type FakeTable = {
  kind: "TABLE" | "VIEW";
  fields: RestField[];
  query: string | undefined;
  labels: Readonly<Record<string, string>>;
  /** What else was said, given back as it came. */
  said: Readonly<Record<string, unknown>>;
  /** Tests make tables older. */
  createdAtMs: number;
};

type FakeDataset = {
  readonly location: string;
  readonly labels: unknown;
  readonly tables: Map<string, FakeTable>;
};

/** Datasets by the names of their schemas. */
export type SavedTables = Map<string, FakeDataset>;

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

export class FakeTables {
  readonly #engine: DuckDBInstance;
  readonly #location: string;
  readonly #datasets: Map<string, FakeDataset>;
  #turn: Promise<unknown> = Promise.resolve();
  /** Rights that are missing: `dataset` → permission. */
  readonly denied: Map<string, string> = new Map<string, string>();

  constructor(engine: DuckDBInstance, location: string, saved: SavedTables = new Map()) {
    this.#engine = engine;
    this.#location = location;
    this.#datasets = structuredClone(saved);
  }

  /** What is known of them; their rows are the engine's. */
  save(): SavedTables {
    return structuredClone(this.#datasets);
  }

  async addDataset(
    project: string,
    dataset: string,
    location: string = this.#location,
    labels: unknown = {},
  ): Promise<void> {
    const key = schemaOf(project, dataset);
    if (this.#datasets.has(key))
      throw new RestFault(409, "duplicate", `Already Exists: Dataset ${project}:${dataset}`);
    this.#datasets.set(key, { location, labels, tables: new Map() });
    await this.#run(`CREATE SCHEMA ${quote(key)}`);
  }

  /** Drops a dataset with all that is in it, as somebody might by hand. */
  async dropDataset(project: string, dataset: string): Promise<void> {
    this.#datasets.delete(schemaOf(project, dataset));
    await this.#run(`DROP SCHEMA ${quote(schemaOf(project, dataset))} CASCADE`);
  }

  /** Every table and view of every dataset, for whoever counts what is left. */
  allNames(): readonly string[] {
    return [...this.#datasets].flatMap(([key, { tables }]) =>
      [...tables.keys()].map((name) => `${key}.${name}`),
    );
  }

  /** @throws RestFault 404 when there is none. */
  dataset(project: string, dataset: string): FakeDataset {
    const permission = this.denied.get(dataset);
    if (permission !== undefined)
      throw new RestFault(
        403,
        "accessDenied",
        `Access Denied: Dataset ${project}:${dataset}: Permission ${permission} denied on dataset ${project}:${dataset} (or it may not exist).`,
      );
    const found = this.#datasets.get(schemaOf(project, dataset));
    if (found === undefined) throw new RestFault(404, "notFound", `Not found: Dataset ${project}:${dataset}`);
    return found;
  }

  table(project: string, dataset: string, table: string): FakeTable {
    const found = this.dataset(project, dataset).tables.get(table);
    if (found === undefined)
      throw new RestFault(404, "notFound", `Not found: Table ${project}:${dataset}.${table}`);
    return found;
  }

  /** Names of the tables of a dataset. */
  names(project: string, dataset: string): string[] {
    return [...this.dataset(project, dataset).tables.keys()].sort();
  }

  /** One request after another: what the service does in one step takes several here. */
  async handle(request: RestRequest): Promise<unknown> {
    const mine = this.#turn.then(() => this.#handleNext(request));
    this.#turn = mine.catch(() => {}); // Whoever asked is told.
    return await mine;
  }

  async #handleNext({ method, project, parts, body, query }: RestRequest): Promise<unknown> {
    const [, dataset, , table, data] = parts;
    if (dataset === undefined && method === "POST") {
      const { datasetReference, location, labels } = body as {
        datasetReference: { datasetId: string };
        location: string;
        labels: unknown;
      };
      await this.addDataset(project, datasetReference.datasetId, location, labels);
      return {};
    }
    if (parts.length === 2 && method === "GET") {
      const { location, labels } = this.dataset(project, dataset!);
      return { kind: "bigquery#dataset", location, labels };
    }
    if (parts.length === 3 && method === "GET")
      return {
        tables: [...this.dataset(project, dataset!).tables].map(([tableId, { createdAtMs }]) => ({
          tableReference: { projectId: project, datasetId: dataset, tableId },
          creationTime: String(createdAtMs),
        })),
      };
    if (parts.length === 3 && method === "POST")
      return await this.#insert(project, dataset!, body as NewTableBody);
    if (data === "data") return await this.#list(project, dataset!, table!, query);
    if (table !== undefined && method === "GET") return await this.#describe(project, dataset!, table);
    if (table !== undefined && method === "PATCH")
      return await this.#patch(project, dataset!, table, body as Partial<NewTableBody>);
    if (table !== undefined && method === "DELETE") {
      const { kind } = this.table(project, dataset!, table);
      await this.#run(`DROP ${kind} ${quote(schemaOf(project, dataset!))}.${quote(table)}`);
      this.dataset(project, dataset!).tables.delete(table);
      return {};
    }
    throw new RestFault(404, "notFound", `Not found: ${method} ${parts.join("/")}`);
  }

  /** Notes a table that a statement has made. */
  async noteMade(schema: string, table: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const dataset = this.#datasets.get(schema);
    if (dataset === undefined) throw new RestFault(404, "notFound", `Not found: Dataset ${schema}`);
    const fields = await this.#fieldsOf(schema, table);
    dataset.tables.set(table, {
      kind: "TABLE",
      fields,
      query: undefined,
      labels,
      said: {},
      createdAtMs: Date.now(),
    });
    await this.#remakeViews(schema);
  }

  /** The engine binds a view when it is made; the service does so whenever it is asked. Those of a project are. */
  async #remakeViews(changed: string): Promise<void> {
    const project = changed.slice(0, changed.lastIndexOf(".") + 1);
    for (const [schema, { tables }] of this.#datasets)
      if (schema.startsWith(project))
        for (const [name, { kind, query }] of tables)
          if (kind === "VIEW") await this.#makeView(schema, name, query!).catch(() => {}); // Whoever asks it, is told.
  }

  async #insert(project: string, dataset: string, body: NewTableBody): Promise<unknown> {
    const { tables } = this.dataset(project, dataset);
    const { tableReference, schema, view, labels = {}, ...said } = body;
    const name = tableReference.tableId;
    if (tables.has(name))
      throw new RestFault(409, "duplicate", `Already Exists: Table ${project}:${dataset}.${name}`);
    const key = schemaOf(project, dataset);
    const common = { labels, said, createdAtMs: Date.now() };
    if (view !== undefined) {
      await this.#makeView(key, name, view.query).catch((error) => {
        throw new RestFault(400, "invalidQuery", String(error));
      });
      tables.set(name, {
        kind: "VIEW",
        fields: await this.#fieldsOf(key, name),
        query: view.query,
        ...common,
      });
      return {};
    }
    const columns = (schema?.fields ?? []).map((field) => columnSql(field));
    tables.set(name, { kind: "TABLE", fields: [...(schema?.fields ?? [])], query: undefined, ...common });
    await this.#run(`CREATE TABLE ${quote(key)}.${quote(name)} (${columns.join(", ")})`);
    return {};
  }

  async #patch(
    project: string,
    dataset: string,
    name: string,
    body: Partial<NewTableBody>,
  ): Promise<unknown> {
    const table = this.table(project, dataset, name);
    const key = schemaOf(project, dataset);
    const { expirationTime = table.said["expirationTime"], description = table.said["description"] } = body;
    table.said = { ...table.said, expirationTime: expirationTime ?? undefined, description };
    table.labels = { ...table.labels, ...body.labels };
    if (body.view !== undefined) table.query = body.view.query;
    if (body.schema !== undefined && table.kind === "VIEW") table.fields = [...body.schema.fields];
    else if (body.schema !== undefined) {
      const fields = body.schema.fields;
      const lost = table.fields.find((field) => !fields.some((other) => other.name === field.name));
      if (lost !== undefined)
        throw new RestFault(
          400,
          "invalid",
          `Provided Schema does not match Table ${project}:${dataset}.${name}. Field ${lost.name} is missing in new schema`,
        );
      for (const field of fields.filter(
        (field) => !table.fields.some((other) => other.name === field.name),
      )) {
        if (field.mode === "REQUIRED")
          throw new RestFault(
            400,
            "invalid",
            `Cannot add required fields to an existing schema. (field: ${field.name})`,
          );
        await this.#run(`ALTER TABLE ${quote(key)}.${quote(name)} ADD COLUMN ${columnSql(field)}`);
        table.fields.push(field);
      }
    }
    if (body.view !== undefined || body.schema !== undefined) await this.#remakeViews(key);
    return {};
  }

  async #describe(project: string, dataset: string, name: string): Promise<unknown> {
    const { kind, fields, query, labels, said, createdAtMs } = this.table(project, dataset, name);
    const [row] =
      kind === "VIEW"
        ? []
        : await this.#run(`SELECT count(*) FROM ${quote(schemaOf(project, dataset))}.${quote(name)}`);
    return {
      ...said,
      type: kind,
      schema: { fields },
      labels,
      creationTime: String(createdAtMs),
      ...(query !== undefined && { view: { query, useLegacySql: false } }),
      ...(row !== undefined && { numRows: String(row[0]) }),
    };
  }

  async #list(project: string, dataset: string, name: string, query: URLSearchParams): Promise<unknown> {
    const { fields } = this.table(project, dataset, name);
    const from = Number(query.get("pageToken") ?? 0);
    const most = Number(query.get("maxResults") ?? 10_000);
    const names = fields.map((field) => quote(field.name)).join(", ");
    const rows = await this.#run(
      `SELECT ${names} FROM ${quote(schemaOf(project, dataset))}.${quote(name)} OFFSET ${from} LIMIT ${most + 1}`,
    );
    return {
      rows: rows
        .slice(0, most)
        .map((row) => ({ f: row.map((cell, at) => ({ v: restCell(cell, fields[at]!) })) })),
      ...(rows.length > most && { pageToken: String(from + most) }),
    };
  }

  async #makeView(schema: string, name: string, query: string): Promise<void> {
    const [project = "", dataset] = schema.split(".");
    const [statement] = translateScript(query, { project, dataset });
    await this.#run(`CREATE OR REPLACE VIEW ${quote(schema)}.${quote(name)} AS ${statement!.sql}`);
  }

  async #fieldsOf(schema: string, table: string): Promise<RestField[]> {
    const connection = await this.#engine.connect();
    try {
      const reader = await connection.runAndReadAll(`SELECT * FROM ${quote(schema)}.${quote(table)} LIMIT 0`);
      const types = reader.columnTypes();
      return reader.columnNames().map((name, at) => restField(name, types[at]!));
    } finally {
      connection.closeSync();
    }
  }

  async #run(sql: string): Promise<unknown[][]> {
    const connection = await this.#engine.connect();
    try {
      return (await connection.runAndReadAll(sql)).getRows() as unknown[][];
    } finally {
      connection.closeSync();
    }
  }
}

type NewTableBody = Readonly<{
  tableReference: { tableId: string };
  schema?: { fields: RestField[] };
  view?: { query: string };
  labels?: Readonly<Record<string, string>>;
  description?: string;
  expirationTime?: string | null;
}>;

function columnSql(field: RestField): string {
  const type = engineType(field);
  if (type === undefined)
    throw new RestFault(400, "invalid", `Invalid value for type: ${field.type} is not a valid value`);
  return `${quote(field.name)} ${type}${field.mode === "REQUIRED" ? " NOT NULL" : ""}`;
}
