/** Writes the files of a new project. Never overwrites one. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { configNames } from "../config/find-config.ts";
import { LeatError } from "../errors/leat-error.ts";
import { isJsonObject } from "../model/json-value.ts";

/** What was done. Paths are relative to the project's folder. */
export type Scaffold = Readonly<{
  folder: string;
  created: readonly string[];
  kept: readonly string[];
  notes: readonly string[];
  /** Commands to type next. */
  next: readonly string[];
}>;

/** The package's `templates/init`, two folders above in the repository as in the published package. */
const templateFolder = fileURLToPath(new URL("../../templates/init/", import.meta.url));

/**
 * npm leaves files of these names out of packages, so that the templates have others. Those in TypeScript end in
 * `.template`, since they are no part of leat's own program.
 */
const realNames: ReadonlyMap<string, string> = new Map([
  ["gitignore", ".gitignore"],
  ["env.example", ".env.example"],
]);

/**
 * Makes a project.
 *
 * In a folder whose package.json is not `"type": "module"` (npm's own `init` writes `commonjs`), the TypeScript files
 * are `.mts`: they are ES modules whatever package.json says, to Node, to editors, and to `node --test`.
 *
 * @throws LeatError `CONFIG_INVALID` when the files cannot be written, or package.json cannot be read.
 */
export async function scaffoldProject(cwd: string, folderName: string): Promise<Scaffold> {
  const folder = resolve(cwd, folderName);
  try {
    await mkdir(folder, { recursive: true });
    return await writeFiles(cwd, folder);
  } catch (error) {
    if (error instanceof LeatError) throw error;
    throw new LeatError("CONFIG_INVALID", {
      message: `The project in ${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      hint: "Check the folder and its permissions.",
      cause: error,
    });
  }
}

async function writeFiles(cwd: string, folder: string): Promise<Scaffold> {
  const packageFile = await readPackage(join(folder, "package.json"));
  const isModule = packageFile === undefined || packageFile["type"] === "module";
  const configName = isModule ? "leat.config.ts" : "leat.config.mts";
  const projectName = basename(folder) || "project";
  const [created, kept, notes]: [string[], string[], string[]] = [[], [], []];
  const existing = new Set(await readdir(folder));
  const olderConfig = configNames.find((name) => existing.has(name));
  for (const entry of await readdir(templateFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const template = join(entry.parentPath, entry.name);
    const inTemplate = relative(templateFolder, template);
    const name = nameInProject(inTemplate, isModule);
    if (name === configName && olderConfig !== undefined) {
      kept.push(olderConfig); // Two configurations would leave it open which one is meant.
      continue;
    }
    const text = (await readFile(template, "utf8"))
      .replaceAll("PROJECT_NAME", projectName.replaceAll(/["\\\r\n]/g, ""))
      .replaceAll("CONFIG_NAME", configName);
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    (await writeNew(path, text)) ? created.push(name) : kept.push(name);
  }
  if (packageFile === undefined) {
    const scripts = { test: "node --test" };
    const fields = { name: toPackageName(projectName), private: true, type: "module", scripts };
    const text = `${JSON.stringify(fields, null, 2)}\n`;
    await writeNew(join(folder, "package.json"), text);
    created.push("package.json");
  } else {
    notes.push("package.json is left as it is; nothing needs to be added.");
  }
  if (kept.includes(".gitignore")) notes.push("See that .gitignore has .leat/ and .env.");
  const place = relative(cwd, folder);
  const next = [
    ...(place === "" ? [] : [`cd ${/^[\w./-]+$/.test(place) ? place : JSON.stringify(place)}`]),
    ...(hasLeat(packageFile) ? [] : ["npm install leat"]),
    "npx leat sync",
    'npx leat query "select * from shop.orders"',
  ];
  return { folder, created: created.sort(), kept: kept.sort(), notes, next };
}

function nameInProject(inTemplate: string, isModule: boolean): string {
  const name = realNames.get(inTemplate) ?? inTemplate.replace(/\.template$/, "");
  return isModule ? name : name.replace(/\.ts$/, ".mts");
}

/** Creates a file unless there is one. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function readPackage(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // Told below.
  }
  throw new LeatError("CONFIG_INVALID", {
    message: `${path} is not a JSON object.`,
    hint: "Mend it, or choose another folder.",
  });
}

const hasLeat = (packageFile: Readonly<Record<string, unknown>> | undefined): boolean =>
  ["dependencies", "devDependencies"].some((group) => {
    const listed = packageFile?.[group];
    return isJsonObject(listed) && Object.hasOwn(listed, "leat");
  });

/** A name that npm takes. */
const toPackageName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "")
    .slice(0, 200) || "project";
