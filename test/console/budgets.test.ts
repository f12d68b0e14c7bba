/** What the console weighs as it is built: what a first page loads, what each page adds. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";

const folder = join(root, "ui/dist");

/** Budgets, bytes after gzip. */
const budgets = { initial: 200_000, page: 130_000, css: 20_000 } as const;

type Chunk = Readonly<{
  file: string;
  isEntry?: boolean;
  isDynamicEntry?: boolean;
  imports?: readonly string[];
  dynamicImports?: readonly string[];
  css?: readonly string[];
}>;

// What vite writes of its build; `npm run build:ui` makes it.
const manifest = JSON.parse(readFileSync(join(folder, ".vite/manifest.json"), "utf8")) as Readonly<
  Record<string, Chunk>
>;

/** Files that a chunk needs, itself included. */
function filesOf(name: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  const chunk = manifest[name];
  if (chunk === undefined || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const one of chunk.imports ?? []) filesOf(one, seen);
  return seen;
}

const weigh = (files: Iterable<string>): number =>
  [...files].reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).byteLength,
    0,
  );

const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry) ?? "";
const initial = filesOf(entry);

test("the first page's scripts are within their budget", () => {
  expect(initial.size).toBeGreaterThan(0);
  expect(weigh(initial)).toBeLessThanOrEqual(budgets.initial);
});

test("each lazy page is within its budget", () => {
  const pages = Object.keys(manifest).filter((name) => manifest[name]?.isDynamicEntry);
  // A part that a page loads later, such as a chart, comes on top of that page.
  const before = (name: string): ReadonlySet<string> => {
    const page = pages.find((one) => manifest[one]?.dynamicImports?.includes(name));
    return page === undefined ? initial : new Set([...initial, ...filesOf(page)]);
  };
  const heavy = pages
    .map((name) => ({ name, bytes: weigh([...filesOf(name)].filter((file) => !before(name).has(file))) }))
    .filter(({ bytes }) => bytes > budgets.page);
  expect(pages.length).toBeGreaterThan(10);
  expect(heavy).toEqual([]);
});

test("styles are within their budget", () => {
  const styles = Object.values(manifest).flatMap(({ css }) => css ?? []);
  expect(weigh(new Set(styles))).toBeLessThanOrEqual(budgets.css);
});

test("everything textual is there compressed, and nothing is inlined as an address of data", () => {
  const files = readdirSync(join(folder, "assets"));
  const textual = files.filter((file) => /\.(js|css)$/.test(file));
  const bare = textual.filter(
    (file) =>
      readFileSync(join(folder, "assets", file)).byteLength >= 256 &&
      !(files.includes(`${file}.br`) && files.includes(`${file}.gz`)),
  );
  expect(bare).toEqual([]);
  const styles = textual
    .filter((file) => file.endsWith(".css"))
    .map((file) => readFileSync(join(folder, "assets", file), "utf8"));
  expect(styles.join("")).not.toContain("url(data:");
});
