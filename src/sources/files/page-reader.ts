/** Files that a web page links to. */
import { LeatError } from "../../errors/leat-error.ts";
import type { FetchedFile, FileLimits, FileReader, FoundFile, KnownFile } from "../../ports/source.ts";
import type { Expected } from "../http/answer-check.ts";
import type { Template } from "../http/template.ts";
import { chooseFile, type FileChoice, firstFit, subjectOfAddress } from "./file-choice.ts";
import { nameOfAddress } from "./file-name.ts";
import type { MatchFile } from "./file-pattern.ts";
import type { PageLink } from "./html-links.ts";
import type { WebClient, WholeAnswer } from "./web-client.ts";

/** A declared page, compiled. */
export type PagePlan = Readonly<{
  kind: "page";
  url: Template | (() => string | Promise<string>);
  /** What of a file's address names it. */
  id: "address" | "path";
  follow: readonly MatchFile[];
  pagesMax: number;
  /** The field that a link's text becomes, or what the text must be. */
  text: string | RegExp | undefined;
}>;

/** Largest page: a hundred times a long one. */
const pageBytesMax = 16 * 1024 * 1024;

/** Links shown when none is a file that was meant. */
const linksShownMax = 5;

/** Endings of what people look for, to show the likeliest links. */
const dataEnding = /\.(?:xls[xmb]?|ods|csv|tsv|json|ndjson|parquet|zip|gz|txt|pdf)\b/i;

const accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
const pageAnswer: Expected = { check: () => undefined, emptyStatuses: [], redirects: "anywhere" };

export class PageReader implements FileReader {
  readonly limits: FileLimits;
  readonly #client: WebClient;
  readonly #page: PagePlan;
  readonly #choice: FileChoice;
  /** Addresses of found files by id, secrets included. */
  readonly #addresses = new Map<string, string>();

  constructor(client: WebClient, page: PagePlan, choice: FileChoice, limits: FileLimits) {
    this.#client = client;
    this.#page = page;
    this.#choice = choice;
    this.limits = limits;
  }

  get requestCount(): number {
    return this.#client.requestCount;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async *find(signal: AbortSignal): AsyncGenerator<FoundFile> {
    const waiting = [await this.#client.start(this.#page.url)];
    const seen = new Set(waiting);
    const others: PageLink[] = [];
    for (let count = 1; waiting.length > 0; count++) {
      if (count > this.#page.pagesMax) throw this.#tooManyPages();
      const page = await this.#client.fetchWhole(waiting.shift()!, accept, pageAnswer, pageBytesMax, signal);
      for (const link of await linksOf(page)) {
        const file = this.#toFile(link);
        if (file !== undefined) {
          if (this.#addresses.has(file.id)) continue;
          this.#addresses.set(file.id, link.address.href);
          yield file;
        } else if (this.#isFollowed(link, page)) {
          if (!seen.has(link.address.href)) waiting.push(link.address.href);
          seen.add(link.address.href);
        } else {
          others.push(link);
        }
      }
    }
    if (this.#addresses.size === 0) throw this.#nothingFound([...seen], others);
  }

  fetch(file: FoundFile, known: KnownFile | undefined, signal: AbortSignal): Promise<FetchedFile> {
    return this.#client.fetchFile(this.#addresses.get(file.id) ?? file.id, file.name, known, signal);
  }

  #toFile({ address, text }: PageLink): FoundFile | undefined {
    const fields = chooseFile(this.#choice, subjectOfAddress(address, this.#client.secrets));
    const said = fields === undefined ? undefined : this.#fieldsOfText(text);
    if (said === undefined) return undefined;
    return {
      id: this.#idOf(address),
      name: nameOfAddress(address),
      fields: { ...fields, ...said },
    };
  }

  #idOf(address: URL): string {
    const told = this.#client.redact(address.href);
    return this.#page.id === "address" ? told : told.slice(address.origin.length);
  }

  #fieldsOfText(text: string): Readonly<Record<string, string>> | undefined {
    const wanted = this.#page.text;
    if (wanted === undefined) return {};
    if (typeof wanted === "string") return { [wanted]: text };
    const match = wanted.exec(text);
    return match === null ? undefined : { ...match.groups };
  }

  /** Only within the origin of the page itself: others are not the publisher's. */
  #isFollowed({ address }: PageLink, page: WholeAnswer): boolean {
    if (this.#page.follow.length === 0 || address.origin !== new URL(page.address).origin) return false;
    return firstFit(this.#page.follow, subjectOfAddress(address, this.#client.secrets)) !== undefined;
  }

  #tooManyPages(): LeatError {
    const { pagesMax } = this.#page;
    return new LeatError("PAGES_ENDLESS", {
      message: `More than ${pagesMax} pages are to be followed; no file was fetched.`,
      hint: "Narrow `page.follow`, or raise `page.pagesMax`.",
      details: { option: "page.pagesMax", pagesMax },
    });
  }

  #nothingFound(pages: readonly string[], others: readonly PageLink[]): LeatError {
    const told = pages.map((page) => this.#client.redact(page));
    const likely = others.filter(({ address }) => dataEnding.test(address.href));
    const shown = (likely.length > 0 ? likely : others)
      .slice(0, linksShownMax)
      .map(({ address }) => this.#client.redact(address.href));
    return new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `No link of ${told[0] ?? ""}${told.length > 1 ? ` and ${told.length - 1} more pages` : ""} fits ${this.#choice.shown}: it has ${others.length === 0 ? "none" : `${others.length}, such as ${shown.join(", ")}`}.`,
      hint:
        others.length === 0
          ? "The page has no links for us: it may make them by scripts. Look for the listing that its scripts read."
          : "Compare `match` of the stream with the links of the page: the publisher may have moved its files.",
      details: { pages: told, links: shown, linkCount: others.length },
    });
  }
}

/** The parser of pages is loaded with the first page. */
async function linksOf(page: WholeAnswer): Promise<readonly PageLink[]> {
  const { findLinks } = await import("./html-links.ts");
  return findLinks(page.bytes, page.address, [page.headers["content-type"]].flat()[0]);
}
