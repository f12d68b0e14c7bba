import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findLinks } from "./html-links.ts";

const find = (html: string | Uint8Array, contentType?: string) =>
  findLinks(Buffer.from(html), "https://a.org/p/q", contentType).map(({ address, text }) => [
    address.href,
    text,
  ]);

describe("links", () => {
  test("are relative to the page, or to its first base", () => {
    expect(
      find('<a href="x.xls">1</a><a href="/y.xls">2</a><a href="//b.org/z.xls">3</a><a href="?v=1">4</a>'),
    ).toEqual([
      ["https://a.org/p/x.xls", "1"],
      ["https://a.org/y.xls", "2"],
      ["https://b.org/z.xls", "3"],
      ["https://a.org/p/q?v=1", "4"],
    ]);
    expect(find('<base target="_top"><base href="/data/"><base href="/no/"><a href="x.xls">1</a>')).toEqual([
      ["https://a.org/data/x.xls", "1"],
    ]);
  });

  test("have their entities and blanks resolved, and their fragment taken off", () => {
    expect(find('<a href=" x.xls?a=1&amp;b=&#50;#sheet ">A &amp;\n  B</a>')).toEqual([
      ["https://a.org/p/x.xls?a=1&b=2", "A & B"],
    ]);
  });

  test("of areas and of next pages count, those of comments, scripts and mail do not", () => {
    const html = `<link rel="prefetch next" href="?page=2"><area href="m.xls" alt="Map">
      <!-- <a href="no.xls">x</a> --><script>'<a href="no.xls">'</script>
      <a href="mailto:x@y.z">x</a><a href="javascript:void(0)">x</a><a href="#top">x</a><a>x</a><a href="http://[">x</a>`;
    expect(find(html)).toEqual(
      [
        ["https://a.org/p/q?page=2", ""],
        ["https://a.org/p/m.xls", ""],
      ].map(([address, text], index) => [address, index === 1 ? "Map" : text]),
    );
  });

  test("say what their text says, else their label", () => {
    expect(
      find(
        '<a href="1.xls" title="t" aria-label="Summer"><img src="x" alt=""></a><a href="2.xls"><img alt="Pic"> of it</a>',
      ),
    ).toEqual([
      ["https://a.org/p/1.xls", "Summer"],
      ["https://a.org/p/2.xls", "Pic of it"],
    ]);
  });

  test("of a page in another encoding are read in it", () => {
    const bytes = Buffer.from('<a href="1.xls">M\xe4rz</a>', "latin1");
    expect(find(bytes, "text/html; charset=ISO-8859-1")).toEqual([["https://a.org/p/1.xls", "März"]]);
    expect(find(Buffer.concat([Buffer.from("<meta charset='windows-1252'>"), bytes]))).toEqual([
      ["https://a.org/p/1.xls", "März"],
    ]);
    expect(find('<a href="1.xls">März</a>', "text/html; charset=nobody-knows")).toEqual([
      ["https://a.org/p/1.xls", "März"],
    ]);
  });
});

test("whatever a page holds, links are addresses that can be fetched", () => {
  const fragment = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "<a href=",
      "'",
      '"',
      "<base href=",
      ">",
      "</a>",
      "<script>",
      "</script>",
      "&amp;",
      "http:",
      "//",
    ),
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 30 }), (fragments) => {
      for (const { address, text } of findLinks(
        Buffer.from(fragments.join("")),
        "https://a.org/",
        undefined,
      )) {
        expect(["http:", "https:"]).toContain(address.protocol);
        expect(address.hash).toBe("");
        expect(text.isWellFormed()).toBe(true);
      }
    }),
  );
});
