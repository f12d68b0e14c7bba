/**
 * Files that pages load: leat's own, which lie in `assets/` of the package, and those of libraries, found where these are
 * installed. Each has an address with its hash or version in it, and is kept by browsers for good.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type ContentCoding, compress } from "../../../serve/content-coding.ts";
import { readDocsScript } from "./docs-script.ts";

/** A file that can be sent, plain and in codings; both are kept once they were asked for. */
export class StaticFile {
  readonly contentType: string;
  readonly #read: () => Promise<Uint8Array>;
  #bytes: Promise<Uint8Array> | undefined;
  readonly #coded = new Map<ContentCoding, Promise<Uint8Array>>();

  constructor(contentType: string, read: () => Promise<Uint8Array>) {
    this.contentType = contentType;
    this.#read = read;
  }

  async bytes(coding?: ContentCoding): Promise<Uint8Array> {
    this.#bytes ??= this.#read();
    const plain = await this.#bytes;
    if (coding === undefined) return plain;
    const coded = this.#coded.get(coding) ?? compress(plain, coding);
    this.#coded.set(coding, coded);
    return await coded;
  }
}

/** A file on this machine's disk. */
export const diskFile = (contentType: string, path: string | URL): StaticFile =>
  new StaticFile(contentType, () => readFile(path));

/** leat's own files. `page.css` and `page.js` are on nearly every page. */
const ownFiles = {
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "docs.css": "text/css; charset=utf-8",
  "docs.js": "text/javascript; charset=utf-8",
  "sql.js": "text/javascript; charset=utf-8",
  "arrow.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

export type OwnFile = keyof typeof ownFiles;

/** From `src/server/data/pages` as from `dist/server/data/pages`. */
const folder = new URL("../../../../assets/", import.meta.url);

/**
 * Opens leat's files and those of the documentation.
 *
 * @param version - leat's, which pins the version of the library.
 */
export function openAssets(version: string): Assets {
  const assets = new Assets();
  // Read when a browser asks for it.
  assets.add("scalar.js", version, new StaticFile("text/javascript; charset=utf-8", readDocsScript));
  return assets;
}

export class Assets {
  /** By what follows `/assets/`. */
  readonly #files = new Map<string, StaticFile>();
  readonly #addresses = new Map<string, string>();

  constructor() {
    for (const [name, contentType] of Object.entries(ownFiles)) {
      const bytes = readFileSync(new URL(name, folder));
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
      this.add(name, hash, new StaticFile(contentType, async () => bytes));
    }
  }

  /** @param version - changes whenever the file does. */
  add(name: string, version: string, file: StaticFile): void {
    this.#files.set(`${version}/${name}`, file);
    this.#addresses.set(name, `/assets/${version}/${name}`);
  }

  /** Where a file of leat's is. */
  address(name: OwnFile | "scalar.js"): string {
    return this.#addresses.get(name)!; // The names are those of the table, and the one that `openAssets` adds.
  }

  find(path: string): StaticFile | undefined {
    return this.#files.get(path);
  }
}
