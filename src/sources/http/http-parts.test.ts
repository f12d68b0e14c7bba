import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../../model/duration.ts";
import { toTenantId } from "../../model/ids.ts";
import { decodeStream, decodeWhole, parseCodings } from "./decode-body.ts";
import { findLink } from "./link-header.ts";
import { redactAddress, redactText } from "./redaction.ts";
import { backoffMs, parseRetryAfter } from "./retry-policy.ts";
import { isTemplate, Lookups, parseTemplate, type Template } from "./template.ts";

const compile = (text: string, isReference = false): Template => {
  const parsed = parseTemplate(text, isReference);
  if (isTemplate(parsed)) return parsed;
  throw new Error(parsed.fault);
};

describe("templates", () => {
  const lookups = new Lookups(
    { id: toTenantId("414"), fields: { name: "Anna", deep: { no: 7 }, key: "env:KEY" } },
    { resolve: async (reference) => `<${reference}>` },
  );

  test("fill in the tenant, secrets and values, and keep other text", async () => {
    const template = compile("{tenant.id}/{tenant.deep.no} {{x}} {env:A_B} {tenant.key} {page}");
    await lookups.resolve([template]);
    expect(lookups.render(template, { page: 3 })).toEqual({
      text: "414/7 {x} <env:A_B> <env:KEY> 3",
      isSecret: true,
    });
    expect([...lookups.secrets]).toEqual(["<env:A_B>", "<env:KEY>"]);
  });

  test("come to nothing when a value of the request is missing", () => {
    expect(lookups.render(compile("since:{cursor.start}"), {})).toBeUndefined();
  });

  test("take a whole text for a reference only where that is meant", () => {
    expect(compile("env:production")).toEqual(["env:production"]);
    expect(compile("env:TOKEN", true)).toEqual([{ secret: "env:TOKEN" }]);
  });

  test("leave braces with blanks alone, so that GraphQL needs no escapes", () => {
    expect(compile("{ orders { id } }")).toEqual(["{ orders { id } }"]);
  });

  test("ask for a field that the tenant has not by name", async () => {
    await expect(lookups.resolve([compile("{tenant.nmae}")])).rejects.toMatchObject({
      code: "TENANTS_INVALID",
      message: expect.stringContaining('"nmae"'),
    });
  });
});

describe("Link headers", () => {
  test.each([
    ['<https://a/x?page=2>; rel="next", <https://a/x?page=5>; rel="last"', "https://a/x?page=2"],
    ['<https://a/x?page=5>; rel="last", </x?page=2>; title="a, b; rel=no"; rel=next', "/x?page=2"],
    ['<https://a/1,2;3>; REL="prev Next"', "https://a/1,2;3"],
    ["<https://a/x>; rel=prev", undefined],
    ["", undefined],
  ])("%s", (header, target) => {
    expect(findLink(header, "next")).toBe(target);
  });

  test("may come several times", () => {
    expect(findLink(["<a>; rel=prev", "<b>; rel=next"], "next")).toBe("b");
    expect(findLink(undefined, "next")).toBeUndefined();
  });
});

test.each([
  ["15m", 900_000],
  ["24h", 86_400_000],
  ["1h30m", 5_400_000],
  ["1d2h3m4s5ms", 93_784_005],
  ["500ms", 500],
  ["", undefined],
  ["15", undefined],
  ["m", undefined],
  ["30m1h", undefined],
  ["1.5h", undefined],
])("the span %j is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  ["0.2", 200],
  ["38", 38_000],
  [["0"], 0],
  [["3", "7"], 7000],
  ["99999999", 120_000],
  ["Thu, 01 Jan 1970 00:00:10 GMT", 5000],
  ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
  ["soon", undefined],
  ["-1", undefined],
  ["", undefined],
  [undefined, undefined],
])("Retry-After %j is a wait of %s ms", (header, waitMs) => {
  expect(parseRetryAfter(header, 5000)).toBe(waitMs);
});

test("backoff is anything between nothing and a bound that doubles up to a cap", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (tries, fraction) => {
        const waitMs = backoffMs(tries, fraction);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(Math.min(30_000, 500 * 2 ** (tries - 1)));
      },
    ),
  );
});

describe("redaction", () => {
  test("leaves names and other values of a query", () => {
    const address = "https://a/x?page=2&key=abc&access_token=def&sig=1&monkey=4";
    expect(redactAddress(address, new Set(["key"]), [])).toBe(
      "https://a/x?page=2&key=***&access_token=***&sig=***&monkey=4",
    );
  });

  test("takes out secrets anywhere, in any writing", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, maxLength: 20 }).filter((text) => text.isWellFormed() && !/\*/.test(text)),
        (secret) => {
          const text = `[${secret}|${encodeURIComponent(secret)}|${JSON.stringify(secret)}]`;
          expect(redactText(text, [secret])).not.toContain(secret);
          expect(redactText(text, [secret])).not.toContain(encodeURIComponent(secret));
        },
      ),
    );
  });
});

describe("packed bodies", () => {
  const packers = {
    gzip: zlib.gzipSync,
    br: (bytes: Uint8Array) =>
      zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
    zstd: zlib.zstdCompressSync,
    deflate: zlib.deflateSync,
  } as const;

  async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  test("are the same whole, in pieces of any size and from any number of members or frames", async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 });
    const coding = fc.constantFrom("gzip", "zstd", "br", "deflate");
    await fc.assert(
      fc.asyncProperty(parts, coding, fc.integer({ min: 1, max: 2000 }), async (pieces, name, size) => {
        const several = name === "gzip" || name === "zstd" ? pieces : pieces.slice(0, 1);
        const packed = Buffer.concat(several.map((piece) => packers[name](piece)));
        const plain = Buffer.concat(several);
        const codings = parseCodings(name)!;
        expect(Buffer.from((await decodeWhole(packed, codings, 1 << 20))!).equals(plain)).toBe(true);
        const streamed: Uint8Array[] = [];
        for await (const chunk of decodeStream(inPieces(packed, size), codings)) streamed.push(chunk);
        expect(Buffer.concat(streamed).equals(plain)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    "gzip",
    "zstd",
    "br",
    "deflate",
  ] as const)("%s without its end is an error, whole and as a stream", async (name) => {
    const packed = packers[name](Buffer.from("text ".repeat(1000)));
    const cut = packed.subarray(0, packed.length - 3);
    const codings = parseCodings(name)!;
    await expect(decodeWhole(cut, codings, 1 << 20)).rejects.toThrow();
    const draining = async () => {
      for await (const _ of decodeStream(inPieces(cut, 10), codings));
    };
    await expect(draining()).rejects.toThrow();
  });

  test("that unpack to more than the bound are left to the stream", async () => {
    for (const name of ["gzip", "zstd", "br", "deflate"] as const) {
      expect(await decodeWhole(packers[name](Buffer.alloc(5000)), parseCodings(name)!, 4999)).toBeUndefined();
      expect(await decodeWhole(packers[name](Buffer.alloc(4999)), parseCodings(name)!, 4999)).toHaveLength(
        4999,
      );
    }
  });
});
