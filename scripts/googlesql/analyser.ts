/**
 * The GoogleSQL analyser, as a process of its own on loopback. It comes from the npm package
 * `@fivetrandevelopers/zetasql` (MIT), 340 MB, which is put into a cache folder and is no dependency.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { runCommand } from "../steps.ts";

const packageName = "@fivetrandevelopers/zetasql";
const version = "1.13.0";

/** A column of a table or of a result. */
export type AnalysedColumn = Readonly<{ name: string; kind: TypeKind }>;
/** A type by its name (`INT64`), or by the number that the analyser gave it. */
export type TypeKind = string | number;
/** A function of a script's own. */
export type AnalysedFunction = Readonly<{
  name: string;
  argumentKinds: readonly string[];
  returnKind: string;
}>;
/** Tables by the parts of their path. */
export type AnalysedTable = Readonly<{ path: readonly string[]; columns: readonly AnalysedColumn[] }>;

/** What statements are analysed against. */
export type AnalyserCatalog = Readonly<{
  tables: readonly AnalysedTable[];
  functions: readonly AnalysedFunction[];
}>;

/** Analyses statements. */
export interface Analyser {
  /** @returns columns of a query, or of a CREATE TABLE AS. @throws Error in the analyser's words. */
  analyse(sql: string, catalog: AnalyserCatalog): Promise<readonly AnalysedColumn[]>;
  close(): void;
}

/** Statements that BigQuery runs; the analyser takes queries alone unless told. */
const statementKinds = [
  "QUERY",
  "INSERT",
  "UPDATE",
  "DELETE",
  "MERGE",
  "ASSERT",
  "BEGIN",
  "COMMIT",
  "CREATE_TABLE_AS_SELECT",
  "CREATE_VIEW",
  "CREATE_FUNCTION",
].map((kind) => `RESOLVED_${kind}_STMT`);

type Library = {
  runServer: (port: number) => unknown;
  terminateServer: () => void;
  ZetaSQLClient: {
    init: (port: number) => void;
    getInstance: () => {
      testConnection: () => Promise<boolean>;
      analyze: (request: unknown) => Promise<{ resolvedStatement?: Record<string, unknown> }>;
      getLanguageOptions: (request: unknown) => Promise<{ enabledLanguageFeatures: readonly unknown[] }>;
    };
  };
};

/** Installs the package where it is missing, and starts it. @returns `undefined`, after saying so, where it cannot run. */
export async function openAnalyser(): Promise<Analyser | undefined> {
  const folder = process.env["LEAT_GOOGLESQL"] ?? join(homedir(), ".cache", "leat", `googlesql-${version}`);
  if (!existsSync(join(folder, "node_modules", packageName))) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{"private":true}\n');
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${packageName}@${version}`];
    if ((await runCommand("npm", args, { cwd: folder })) !== 0) return undefined;
  }
  // The package's own shapes, as far as they are used here.
  const library = createRequire(join(folder, "package.json"))(packageName) as Library;
  const port = await freePort();
  void library.runServer(port);
  library.ZetaSQLClient.init(port);
  const client = library.ZetaSQLClient.getInstance();
  if (!(await client.testConnection())) {
    library.terminateServer();
    return undefined;
  }
  const { enabledLanguageFeatures } = await client.getLanguageOptions({ maximumFeatures: true });
  const languageOptions = {
    enabledLanguageFeatures,
    productMode: "PRODUCT_EXTERNAL", // BigQuery's types: INT64, not INT32.
    nameResolutionMode: "NAME_RESOLUTION_DEFAULT",
    supportedStatementKinds: statementKinds,
  };
  return {
    async analyse(sql, catalog) {
      const answer = await client.analyze({
        sqlStatement: sql,
        options: { languageOptions },
        simpleCatalog: { ...catalogProto(catalog), builtinFunctionOptions: { languageOptions } },
      });
      return columnsOf(answer.resolvedStatement ?? {});
    },
    close: () => library.terminateServer(),
  };
}

const typeOf = (kind: TypeKind) => ({ typeKind: typeof kind === "number" ? kind : `TYPE_${kind}` });

function catalogProto({ tables, functions }: AnalyserCatalog) {
  const table = ({ path, columns }: AnalysedTable) => ({
    name: path.at(-1),
    fullName: path.join("."),
    serializationId: tables.findIndex((other) => other.path === path) + 1,
    column: columns.map(({ name, kind }) => ({ name, type: typeOf(kind), isWritableColumn: true })),
  });
  const group = (
    members: readonly AnalysedTable[],
    depth: number,
  ): { name: string; table: unknown[]; catalog: unknown[] }[] => {
    const groups = Map.groupBy(
      members.filter(({ path }) => path.length > depth + 1),
      ({ path }) => path[depth]!,
    );
    return [...groups].map(([name, inside]) => ({
      name,
      table: inside.filter(({ path }) => path.length === depth + 2).map(table),
      catalog: group(inside, depth + 1),
    }));
  };
  const argument = (kind: string) => ({ kind: "ARG_TYPE_FIXED", type: typeOf(kind), numOccurrences: 1 });
  return {
    name: "leat",
    table: tables.filter(({ path }) => path.length === 1).map(table),
    catalog: group(tables, 0),
    customFunction: functions.map(({ name, argumentKinds, returnKind }) => ({
      namePath: [name],
      group: "leat",
      mode: "SCALAR",
      signature: [{ argument: argumentKinds.map(argument), returnType: argument(returnKind), contextId: 0 }],
    })),
  };
}

type ColumnProto = { name: string; column?: { type?: { typeKind?: TypeKind } } };

/** The columns that a resolved statement puts out, wherever its kind keeps them. */
function columnsOf(resolved: object): readonly AnalysedColumn[] {
  if ("outputColumnList" in resolved) {
    const { outputColumnList } = resolved as { outputColumnList: readonly ColumnProto[] };
    return outputColumnList.map(({ name, column }) => ({ name, kind: column?.type?.typeKind ?? "STRING" }));
  }
  for (const [key, inner] of Object.entries(resolved)) {
    if (!key.startsWith("resolved") || typeof inner !== "object" || inner === null) continue;
    const found = columnsOf(inner);
    if (found.length > 0) return found;
  }
  return [];
}
