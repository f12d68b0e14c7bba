/**
 * Extracts arguments and blocks of Google's provider from the package `@cdktf/provider-google` 16.12.1, which was
 * generated from the provider's own schema, version 6.50.0. Done once; again when a module uses a resource that is not
 * in the file yet:
 *
 *     npm install --prefix /tmp/cdktf --ignore-scripts --legacy-peer-deps @cdktf/provider-google@16.12.1
 *     node scripts/terraform/extract-schema.ts /tmp/cdktf/node_modules/@cdktf/provider-google
 *
 * Only resources that the modules use are kept. What the package does not say, such as which values an argument takes,
 * is not in the file either.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../steps.ts";

type Attributes = Record<string, [type: unknown, flags: string]>;
type Blocks = Record<string, [nesting: string, least: number, block: ExtractedBlock]>;
type ExtractedBlock = { a?: Attributes; b?: Blocks };

const schemaPath = join(root, "test/data/terraform/google-6.50-schema.json");

/** Types of resources that the modules declare. */
function usedTypes(): readonly string[] {
  const files = readdirSync(join(root, "terraform"), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith(".tf"),
  );
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(/^resource "(\w+)"/gm)].map(([, type]) => type!))),
  ].sort();
}

/** Classes of a file: name → text. */
const classesOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(/^(?=class \w+ extends )/m)
      .slice(1)
      .map((part) => [/^class (\w+)/.exec(part)![1]!, part]),
  );

/** What the package reads an attribute by, and the type of Terraform that it stands for. */
const types: Readonly<Record<string, unknown>> = {
  getStringAttribute: "string",
  getNumberAttribute: "number",
  getBooleanAttribute: "bool",
  getListAttribute: ["list", "string"],
  getNumberListAttribute: ["list", "number"],
  getStringMapAttribute: ["map", "string"],
  getAnyMapAttribute: ["map", "string"],
  StringMap: ["map", "string"],
};

/** A package's file, and the declarations beside it. */
type Source = Readonly<{ text: string; classes: ReadonlyMap<string, string>; declared: string }>;

function extractBlock(source: Source, className: string): ExtractedBlock {
  const text = source.classes.get(className);
  assert(text !== undefined, `there is a class ${className}`);
  const written = writerOf(source.text, className);
  const attributes: Attributes = {};
  const blocks: Blocks = {};
  const simple =
    /return (cdktf\.Fn\.tolist\()?this\.(get\w+Attribute)\('(\w+)'\)|new cdktf\.(StringMap)\(this, "(\w+)"/g;
  for (const [, isSet, reader, read, map, mapName] of text.matchAll(simple)) {
    const name = read ?? mapName ?? "";
    const type = types[reader ?? map ?? ""];
    assert(type !== undefined, `${className}.${name} is read by ${reader}`);
    const found = isSet === undefined ? type : ["set", (type as readonly unknown[])[1]]; // Only lists are read so.
    attributes[name] = [found, flagsOf(source, className, written, name)];
  }
  for (const [, made = "", name = "", wrapsSet] of text.matchAll(
    /new (\w+)\(this, "(\w+)"(?:, (true|false))?\)/g,
  )) {
    if (made === "StringMap") continue;
    const inner = made.replace(/(List|OutputReference)$/, "");
    const nested = extractBlock(source, `${inner}OutputReference`);
    const nesting = name === "timeouts" ? "single" : wrapsSet === "true" ? "set" : "list";
    const flags = flagsOf(source, className, written, name);
    if (new RegExp(`\\b${name}: \\{\\s+value: [^\\n]+\\s+isBlock: true`).test(written)) {
      blocks[name] = [nesting, flags === "r" ? 1 : 0, nested];
    } else attributes[name] = [[nesting, toObject(nested)], flags];
  }
  return {
    ...(Object.keys(attributes).length > 0 && { a: attributes }),
    ...(Object.keys(blocks).length > 0 && { b: blocks }),
  };
}

/** The function by which the package writes a class's configuration: it names what may be set. */
function writerOf(text: string, className: string): string {
  const struct = className.replace(/OutputReference$/, "");
  const isNested = struct !== className;
  const start = isNested
    ? `function ${struct[0]!.toLowerCase()}${struct.slice(1)}ToHclTerraform(`
    : "    synthesizeHclAttributes()";
  const at = text.indexOf(start);
  assert(at !== -1, `${className} is written`);
  return text.slice(at).split(isNested ? "\n}\n" : "\n    }\n")[0]!;
}

/** What may and must be set. Whether Google fills in what is left out is not told of nested ones: they all count so. */
function flagsOf(source: Source, className: string, written: string, name: string): string {
  if (!new RegExp(`^\\s+${name}: \\{$`, "m").test(written)) return "c";
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const struct = className.endsWith("OutputReference")
    ? className.replace(/OutputReference$/, "")
    : `${className}Config`;
  const at = source.declared.indexOf(`export interface ${struct} `);
  assert(at !== -1, `${struct} is declared`);
  const declared = source.declared.slice(at).split("\n}\n")[0]!;
  assert(new RegExp(`readonly ${camel}\\??:`).test(declared), `${struct}.${camel} is declared`);
  return declared.includes(`readonly ${camel}:`) ? "r" : "oc";
}

/** A computed nested thing is an attribute: its type names what is inside. */
function toObject({ a = {}, b = {} }: ExtractedBlock): unknown {
  const members = Object.entries(a).map(([name, [type]]) => [name, type]);
  const nested = Object.entries(b).map(([name, [nesting, , block]]) => [name, [nesting, toObject(block)]]);
  return ["object", Object.fromEntries([...members, ...nested])];
}

const folder = process.argv[2];
assert(folder !== undefined, "name the folder of @cdktf/provider-google");
const schemas = Object.fromEntries(
  usedTypes().map((type): [string, ExtractedBlock] => {
    const kebab = type.replace(/^google_/, "").replaceAll("_", "-");
    const text = readFileSync(join(folder, "lib", kebab, "index.js"), "utf8");
    const declared = readFileSync(join(folder, "lib", kebab, "index.d.ts"), "utf8");
    const classes = classesOf(text);
    const [resource] =
      [...classes].find(([, part]) => /^class \w+ extends cdktf\.TerraformResource /.test(part)) ?? [];
    assert(resource !== undefined, `${type} has a class`);
    return [type, extractBlock({ text, classes, declared }, resource)];
  }),
);
mkdirSync(dirname(schemaPath), { recursive: true });
const lines = Object.entries(schemas).map(
  ([type, block]) => `${JSON.stringify(type)}:${JSON.stringify(block)}`,
);
writeFileSync(schemaPath, `{\n${lines.join(",\n")}\n}\n`);
console.log(`${schemaPath}: ${lines.length} resources`);
