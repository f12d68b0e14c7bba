import { describe, expect, test } from "vitest";
import { files } from "./files.ts";
import type { FilesDeclaration } from "./files-declaration.ts";

/** Faults of a declaration that no compiler has seen. */
function faultsOf(declaration: unknown): readonly unknown[] {
  try {
    files(declaration as FilesDeclaration); // What a person without a compiler may write.
  } catch (error) {
    return (
      error as { details: { faults: readonly { path: string; problem: string }[] } }
    ).details.faults.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

const stream = (declaration: unknown) => faultsOf({ name: "pub", streams: { docs: declaration } });

describe("a declaration", () => {
  test("with defaults is complete", () => {
    const source = files({ name: "pub", streams: { docs: { folder: "in" } } });
    expect(source.streams).toMatchObject([
      {
        source: "pub",
        name: "docs",
        primaryKey: ["file"],
        writeDisposition: "merge",
        currentBy: "arrival",
        cursor: undefined,
        landingTable: "pub_docs",
        columns: { fields: { type: "json" }, fetched_at: { type: "timestamptz" } },
      },
    ]);
    expect(Object.isFrozen(source)).toBe(true);
  });

  test("without a name, a stream or a place says so", () => {
    expect(faultsOf({})).toEqual(["name: name the source", "streams: name at least one stream"]);
    expect(faultsOf({ name: "pub", streams: {} })).toEqual(["streams: name at least one stream"]);
    expect(stream({})).toEqual([
      "streams.docs: is nowhere; say where its files are by one of page, listing, folder or bucket",
    ]);
    expect(stream({ folder: "a", bucket: "file:b" })).toEqual([
      "streams.docs: has folder and bucket; say where its files are by one of page, listing, folder or bucket",
    ]);
  });

  test("tells all faults at once, each with its path", () => {
    expect(
      faultsOf({
        name: "a b",
        userAgent: "two\nlines",
        rateLimit: { requests: 3 },
        allowedOrigins: ["example.org"],
        streams: {
          one: { page: { url: "ftp://a.org", folow: "x" }, match: ["{year", /x/], fileBytesMax: 0 },
          two: { listing: { url: "https://a.org/list", next: "links" } },
          three: { folder: new URL("https://a.org/") },
        },
      }),
    ).toEqual([
      "userAgent: must be plain letters on one line",
      expect.stringContaining('name: "a b" cannot be a name'),
      expect.stringContaining("allowedOrigins[0]: "),
      expect.stringContaining("streams.one.fileBytesMax: "),
      'streams.one.page.folow: "folow" is not known; did you mean "follow"?',
      'streams.one.page.url: "ftp://a.org" is not an http(s) address',
      expect.stringContaining('streams.one.match: "{year" has a "{" without its other half'),
      expect.stringContaining("streams.two.listing.address: write a dotted path"),
      expect.stringContaining('streams.two.listing.next: write "link"'),
      expect.stringContaining("streams.three.folder: https://a.org/ is no folder of this machine"),
      "rateLimit: `requests` and `perMs` are declared together",
    ]);
  });

  test("of a page says which links are files", () => {
    expect(stream({ page: "https://a.org" })).toEqual([
      "streams.docs.match: say which links are files: a page has many others",
    ]);
  });

  test("holds no secret in an address, and no field but the tenant's", () => {
    expect(stream({ page: "https://a.org/{env:KEY}", match: "*.xls" })).toEqual([
      expect.stringContaining("streams.docs.page: an address is shown in messages"),
    ]);
    expect(stream({ page: { url: "https://a.org/{year}" }, match: "*.xls" })).toEqual([
      'streams.docs.page.url: "https://a.org/{year}" can hold {tenant.<field>} alone; fields such as {year} belong into `match`',
    ]);
    expect(stream({ page: "https://anna:secret@a.org/", match: "*.xls" })).toEqual([
      expect.stringContaining("holds a credential; use `auth`"),
    ]);
  });
});
