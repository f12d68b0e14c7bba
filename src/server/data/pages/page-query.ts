/**
 * The query of a dataset's page: that of the API's `/rows`, and beside it what only the page knows, whose names begin
 * with `~`. So an address that was found by looking can be asked of the API as it is.
 */
import { parseQueryString, type QueryPair } from "../../../serve/query-string.ts";

export type PageQueryPair = Pick<QueryPair, "name" | "value">;

/** Parameters of rows that are no filters. */
const rowsNames: ReadonlySet<string> = new Set(["columns", "sort", "limit", "cursor"]);

const isOwn = ({ name }: PageQueryPair): boolean => name.startsWith("~");

export class PageQuery {
  readonly pairs: readonly PageQueryPair[];

  constructor(pairs: readonly PageQueryPair[]) {
    this.pairs = pairs;
  }

  /** @throws Problem when it cannot be read. */
  static parse(url: string): PageQuery {
    const mark = url.indexOf("?");
    // A form sends its empty fields, too.
    const pairs = mark < 0 ? [] : parseQueryString(url.slice(mark + 1));
    return new PageQuery(pairs.filter(({ name, value }) => value !== "" || !name.startsWith("~")));
  }

  get(name: string): string | undefined {
    return this.pairs.find((pair) => pair.name === name)?.value;
  }

  /** Conditions on rows. */
  get filters(): readonly PageQueryPair[] {
    return this.pairs.filter((pair) => !isOwn(pair) && !rowsNames.has(pair.name));
  }

  with(name: string, value: string): PageQuery {
    return new PageQuery([...this.pairs.filter((pair) => pair.name !== name), { name, value }]);
  }

  without(...names: readonly string[]): PageQuery {
    return new PageQuery(this.pairs.filter((pair) => !names.includes(pair.name)));
  }

  /** Without one condition. */
  omit(filter: PageQueryPair): PageQuery {
    return new PageQuery(this.pairs.filter((pair) => pair !== filter));
  }

  /** Only what the API's rows take. */
  get ofRows(): PageQuery {
    return new PageQuery(this.pairs.filter((pair) => !isOwn(pair)));
  }

  /** With its question mark; nothing of an empty one. */
  print(): string {
    if (this.pairs.length === 0) return "";
    return `?${this.pairs.map(({ name, value }) => `${encode(name)}=${encode(value)}`).join("&")}`;
  }
}

/** Commas and colons mean nothing in a query, and are for people to read. */
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll("%2C", ",").replaceAll("%3A", ":");
