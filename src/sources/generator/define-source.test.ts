import { describe, expect, test } from "vitest";
import { LeatError } from "../../errors/leat-error.ts";
import { toTenantId } from "../../model/ids.ts";
import type { Page, RangeRequest, Source, SourceWorld } from "../../ports/source.ts";
import { defineSource } from "./define-source.ts";
import type { GeneratedPage, GeneratorStreamDeclaration, SourceDeclaration } from "./source-declaration.ts";

const world = {
  secrets: { resolve: async (reference: string) => `<${reference}>` },
} as unknown as SourceWorld; // A generator is given nothing else of the world.
const tenant = { id: toTenantId("414"), fields: { city: "Ulm" } };
const signal = new AbortController().signal;

const declare = (stream: Partial<GeneratorStreamDeclaration>): Source =>
  defineSource({
    name: "own",
    streams: {
      items: {
        pages: async function* () {
          yield [];
        },
        ...stream,
      },
    },
  });

async function readPages(
  source: Source,
  range: Partial<RangeRequest> = {},
  stop: AbortSignal = signal,
): Promise<{ pages: Page[]; texts: string[] }> {
  const reader = await source.open("items", tenant, world);
  const pages: Page[] = [];
  const texts: string[] = [];
  const reading = reader.read({ start: undefined, end: undefined, partition: undefined, ...range }, stop);
  for (let step = await reading.next(); step.done !== true; ) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of step.value.body) chunks.push(chunk);
    pages.push(step.value);
    texts.push(Buffer.concat(chunks).toString("utf8"));
    step = await reading.next({
      recordCount: 0,
      envelope: undefined,
      lastRecord: undefined,
      isMismatch: false,
    });
  }
  expect(reader.requestCount).toBe(pages.length);
  await reader.close();
  return { pages, texts };
}

test("pages of records, text and bytes come as they are yielded", async () => {
  const source = declare({
    records: "data",
    pages: async function* () {
      yield [{ id: 12345678901234567890n, name: "é", none: null }];
      yield '{"data":[1.10]}';
      yield Buffer.from('{"data":[]}');
      yield [];
    },
  });
  const { pages, texts } = await readPages(source);
  expect(texts).toEqual([
    '[{"id":12345678901234567890,"name":"é","none":null}]',
    '{"data":[1.10]}',
    '{"data":[]}',
    "[]",
  ]);
  expect(pages.map((page) => page.selector)).toEqual([
    { form: "json", steps: ["each"], isSingle: false },
    { form: "json", steps: [{ key: "data" }, "each"], isSingle: false },
    { form: "json", steps: [{ key: "data" }, "each"], isSingle: false },
    { form: "json", steps: ["each"], isSingle: false },
  ]);
  expect(pages[1]?.at).toBe("own.items (page 2)");
});

test("the generator is given the range as declared, the tenant, its partition and secrets", async () => {
  const given: unknown[] = [];
  const source = declare({
    cursor: { field: "at", start: { format: "date" }, end: { format: "epoch-ms" } },
    pages: async function* ({ secrets, sawTime: _, ...context }) {
      given.push({ ...context, key: await secrets.resolve("env:KEY") });
      yield [];
    },
  });
  await readPages(source, { start: 86_400_000_000n, end: 172_800_000_000n, partition: "p" });
  await readPages(source);
  expect(given).toEqual([
    { tenant, start: "1970-01-02", end: "172800000", partition: "p", signal, key: "<env:KEY>" },
    { tenant, start: undefined, end: undefined, partition: undefined, signal, key: "<env:KEY>" },
  ]);
});

test("a time that the system told is the clock of the pages after it", async () => {
  const source = declare({
    pages: async function* ({ sawTime }) {
      yield [];
      sawTime(new Date(5000));
      yield [];
    },
  });
  const { pages } = await readPages(source);
  expect(pages.map((page) => page.clock)).toEqual([undefined, { dateMs: 5000, requestMs: 0 }]);
});

describe("what goes wrong is a failure", () => {
  const failing = (pages: GeneratorStreamDeclaration["pages"]) => readPages(declare({ pages }));
  const cause = new TypeError("no such thing");
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;

  test("an error in the generator, with its cause", async () => {
    const thrown = {
      code: "EXTRACT_FAILED",
      cause,
      message: expect.stringContaining("TypeError: no such thing"),
    };
    await expect(
      failing(async function* () {
        yield [];
        throw cause;
      }),
    ).rejects.toMatchObject(thrown);
    await expect(
      failing(() => {
        throw cause;
      }),
    ).rejects.toMatchObject(thrown);
  });

  test("a LeatError of the generator as it is", async () => {
    const own = new LeatError("SOURCE_AUTH_FAILED", { message: "no" });
    await expect(
      failing(async function* () {
        yield* [];
        throw own;
      }),
    ).rejects.toBe(own);
  });

  test.each<[string, unknown, RegExp]>([
    ["a record instead of a page", { id: 1 }, /Page 1 is a object, not an array/],
    ["a number that JSON has not", [{ a: 1 }, { b: { c: [Number.NaN] } }], /Record 2 of page 1 .* "b\.c\.0"/],
    ["a circle", [circle], /cannot be written as JSON/],
  ])("%s", async (_, page, message) => {
    await expect(
      failing(async function* () {
        yield page as GeneratedPage; // As a JavaScript user may.
      }),
    ).rejects.toMatchObject({ code: "EXTRACT_FAILED", message: expect.stringMatching(message) });
  });

  test("more pages than the bound", async () => {
    const source = declare({
      bounds: { pagesMax: 3 },
      pages: async function* () {
        for (;;) yield [];
      },
    });
    await expect(readPages(source)).rejects.toMatchObject({ code: "PAGES_ENDLESS" });
  });
});

test("a stop is a stop, whatever the generator makes of it", async () => {
  const stop = new AbortController();
  const source = declare({
    pages: async function* ({ signal: given }) {
      stop.abort(new Error("Ctrl-C"));
      yield* [];
      throw new Error(`stopped: ${given.aborted}`);
    },
  });
  await expect(readPages(source, {}, stop.signal)).rejects.toThrow("Ctrl-C");
});

test("a reader that is left ends the generator", async () => {
  let isEnded = false;
  const source = declare({
    pages: async function* () {
      try {
        for (;;) yield [];
      } finally {
        isEnded = true;
      }
    },
  });
  const reader = await source.open("items", tenant, world);
  const reading = reader.read({ start: undefined, end: undefined, partition: undefined }, signal);
  await reading.next();
  await reading.return();
  expect(isEnded).toBe(true);
});

test("all faults of the declaration are told together", () => {
  const wrong = {
    name: "own",
    tenants: "some",
    streems: {},
    streams: {
      a: { cursor: { field: "u", start: { param: "since" } } },
      b: { pages: () => [], stability: "overlap", isSorted: true, path: "/x" },
    },
  } as unknown as SourceDeclaration; // As a JavaScript user may write it.
  const problem = (path: string, text: string) =>
    expect.objectContaining({ path, problem: expect.stringContaining(text) });
  expect(() => defineSource(wrong)).toThrow(LeatError);
  try {
    defineSource(wrong);
  } catch (error) {
    expect((error as LeatError).details["faults"]).toEqual([
      problem("streems", 'did you mean "streams"'),
      problem("tenants", 'write "all", "none" or a list of ids'),
      problem("streams.a.pages", "async function*"),
      problem("streams.a.cursor.start", '"param" is not known'),
      problem("streams.b.path", "not known"),
      problem("streams.b.isSorted", "needs a cursor"),
      problem("streams.b.stability", "use trusted or passes"),
    ]);
  }
});
