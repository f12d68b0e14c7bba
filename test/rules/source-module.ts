/** A source file as the rules see it: what it imports, what it hands on, what it touches of the process. */
import { posix } from "node:path";
import { parseAst } from "vitest/node";

/** A module by its path under `src`, `/`-separated. */
export type SourceModule = Readonly<{
  path: string;
  /** Specifiers of every import, type imports and `import()` of a literal included. */
  imports: readonly string[];
  /** Names that are re-exported, `*` for a whole module. */
  reexports: readonly string[];
  /** `process.env`, `process.exit`, `console` … as far as they are used. */
  processUses: readonly string[];
}>;

type Syntax = Readonly<{ type: string; [key: string]: unknown }>;

const isSyntax = (value: unknown): value is Syntax =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

/** Every node of a syntax tree, parents before children. */
function* walk(value: unknown): Generator<Syntax> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item);
  else if (isSyntax(value)) {
    yield value;
    for (const child of Object.values(value)) yield* walk(child);
  }
}

const nameOf = (value: unknown): string =>
  isSyntax(value) && (value.type === "Identifier" || value.type === "Literal")
    ? String(value["name"] ?? value["value"])
    : "";
const listOf = (value: unknown): readonly Syntax[] => (Array.isArray(value) ? value.filter(isSyntax) : []);

/** Reads a file's text into what the rules need. */
export function readModule(path: string, text: string): SourceModule {
  const imports: string[] = [];
  const reexports: string[] = [];
  const processUses = new Set<string>();
  const imported = new Set<string>();
  const program: unknown = parseAst(text, { lang: "ts" });
  for (const node of walk(program)) {
    const from = nameOf(node["source"]);
    switch (node.type) {
      case "ImportDeclaration":
        imports.push(from);
        for (const specifier of listOf(node["specifiers"])) {
          imported.add(nameOf(specifier["local"]));
          if (/^(node:)?process$/.test(from)) processUses.add(`process.${nameOf(specifier["imported"])}`);
        }
        break;
      case "ImportExpression":
      case "TSImportType":
        if (from !== "") imports.push(from);
        break;
      case "ExportAllDeclaration":
        imports.push(from);
        reexports.push("*");
        break;
      case "ExportNamedDeclaration": {
        if (from !== "") imports.push(from);
        const names = listOf(node["specifiers"]).map((specifier) => nameOf(specifier["local"]));
        // `import { x } …; export { x }` is a re-export in two lines; imports stand above exports in every file.
        reexports.push(...names.filter((name) => from !== "" || imported.has(name)));
        break;
      }
      case "MemberExpression": {
        const object = nameOf(node["object"]);
        if (object === "process") processUses.add(`process.${nameOf(node["property"])}`);
        if (object === "console") processUses.add("console");
        break;
      }
    }
  }
  return { path, imports, reexports, processUses: [...processUses] };
}

/** Folder of a module as the import table names it: `load`, `stores/fs`, or the file itself at the top. */
export function folderOf(path: string): string {
  const parts = path.split("/");
  if (parts.length === 1) return path;
  const isPlural = /^(sources|stores|warehouses|ledgers|dispatchers)$/.test(parts[0]!);
  return isPlural && parts.length > 2 ? `${parts[0]}/${parts[1]}` : parts[0]!;
}

/** Path under `src` that a relative import leads to; `undefined`: it is a package or a part of Node. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}
