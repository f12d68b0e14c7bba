import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLeatError } from "../errors/leat-error.ts";
import { toTenantId } from "../model/ids.ts";
import type { SourceTenants } from "../model/source-tenants.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import { streamName } from "./choose.ts";
import { choosePair, choosePairs, type PairChoice, type PairWork } from "./choose-pairs.ts";

type Declared = Readonly<{ tenants?: SourceTenants; streams: readonly string[] }>;

const toTenants = (ids: readonly string[]): readonly Tenant[] =>
  ids.map((id) => ({ id: toTenantId(id), fields: {} }));

function work(
  sources: Readonly<Record<string, Declared>>,
  ids: readonly string[],
  landed?: Readonly<Record<string, readonly string[]>>,
): PairWork {
  const project: Project = {
    name: "p",
    datasets: [],
    flows: [],
    deployments: [],
    load: "leat",
    ledger: "",
    apis: [],
    shares: [],
    tenantColumn: "tenant_id",
    tenants: undefined,
    landing: "",
    warehouse: "",
    sources: Object.entries(sources).map(([name, { tenants, streams }]) => ({
      name,
      tenants,
      streams: streams.map((stream) => ({ source: name, name: stream }) as StreamSpec), // All that is looked at here.
      open: () => Promise.reject(new Error("not in this test")),
    })),
  };
  return {
    project,
    tenants: toTenants(ids),
    landed: landed && new Map(Object.entries(landed).map(([name, own]) => [name, toTenants(own)])),
  };
}

const shop = { shop: { streams: ["orders", "items"] } };
const office = { office: { tenants: "none", streams: ["workbooks"] } } as const;
const some = { some: { tenants: ["b"], streams: ["prices"] } } as const;

const print = (of: PairWork, choice?: PairChoice): readonly string[] =>
  choosePairs(of, choice).map((pair) => `${streamName(pair)}: ${pair.tenants.map(({ id }) => id).join(" ")}`);

const refusal = (of: PairWork, choice: PairChoice): object => {
  try {
    choosePairs(of, choice);
  } catch (error) {
    if (isLeatError(error)) return { code: error.code, message: error.message, hint: error.hint };
  }
  throw new Error("it was taken");
};

describe("choosePairs", () => {
  test("a partner's source is read for all, another for some, a publisher's for nobody in particular", () => {
    expect(print(work({ ...shop, ...office, ...some }, ["a", "b"]))).toEqual([
      "shop.orders: a b",
      "shop.items: a b",
      "office.workbooks: default",
      "some.prices: b",
    ]);
  });

  test("a tenant that is asked for leaves out the streams that are not read for it", () => {
    const all = work({ ...shop, ...office, ...some }, ["a", "b"]);
    expect(print(all, { tenants: ["a"] })).toEqual(["shop.orders: a", "shop.items: a"]);
    expect(print(all, { tenants: ["default"] })).toEqual(["office.workbooks: default"]);
  });

  test("a stream that was named and is not read for the tenant is told, with whom it is read for", () => {
    const all = work({ ...shop, ...office, ...some }, ["a", "b"]);
    expect(refusal(all, { streams: ["office.workbooks"], tenants: ["a"] })).toEqual({
      code: "TENANT_NOT_READ",
      message: 'office.workbooks: not read for tenant "a".',
      hint: '"office" belongs to no tenant: leave the tenant out.',
    });
    expect(refusal(all, { streams: ["shop", "some"], tenants: ["a"] })).toEqual({
      code: "TENANT_NOT_READ",
      message: 'some.prices: not read for tenant "a".',
      hint: '"some" is read for b.',
    });
    expect(refusal(work(some, ["a", "b"]), { tenants: ["b", "a"] })).toMatchObject({
      code: "TENANT_NOT_READ",
      message: 'some.prices: not read for tenant "a".',
    });
  });

  test("an unknown tenant is answered with the near one, and a stream in its place as the slip it is", () => {
    const all = work(shop, ["414", "415"]);
    expect(refusal(all, { tenants: ["4144"] })).toEqual({
      code: "TENANT_UNKNOWN",
      message: 'There is no tenant "4144".',
      hint: 'Did you mean "414"? Known tenants: 414, 415.',
    });
    expect(refusal(all, { tenants: ["414", "shop.orders"] })).toMatchObject({
      hint: '"shop.orders" is a stream: name streams before --tenant, or write -- between them.',
    });
  });

  test("where what is landed counts, a tenant that is not read any more is there, also by name", () => {
    const landed = { "some.prices": ["a", "b"], "office.workbooks": ["a", "default"] };
    const all = work({ ...office, ...some }, ["b"], landed);
    expect(print(all)).toEqual(["office.workbooks: default a", "some.prices: b a"]);
    expect(print(all, { streams: ["some"], tenants: ["a"] })).toEqual(["some.prices: a"]);
  });

  test("one stream and tenant is found by its names", () => {
    const all = work({ ...shop, ...office }, ["a", "b"]);
    expect(choosePair(all, "shop.items", "b")).toMatchObject({
      spec: { name: "items" },
      tenant: { id: "b" },
    });
    expect(() => choosePair(all, "shop.items", "default")).toThrow(
      expect.objectContaining({ code: "TENANT_NOT_READ" }),
    );
  });
});

const anyId = fc.constantFrom("a", "b", "c", "d", "default", "__proto__");
const anyIds = fc.uniqueArray(anyId, { minLength: 1 });
const anySource: fc.Arbitrary<Declared> = fc.record({
  tenants: fc.oneof(fc.constant("all" as const), fc.constant("none" as const), anyIds),
  streams: fc.uniqueArray(fc.constantFrom("x", "y", "z"), { minLength: 1 }),
});
const anyWork = fc
  .record({ sources: fc.uniqueArray(fc.constantFrom("s1", "s2", "s3"), { minLength: 1 }), ids: anyIds })
  .chain(({ sources, ids }) =>
    fc.record({
      declared: fc.array(anySource, { minLength: sources.length, maxLength: sources.length }),
      sources: fc.constant(sources),
      ids: fc.constant(ids),
    }),
  )
  .map(({ sources, declared, ids }) =>
    work(Object.fromEntries(sources.map((name, index) => [name, declared[index]!])), ids),
  );

/** The rule once more, pair by pair, as a person would say it. */
function isRead({ project, tenants }: PairWork, source: string, id: string): boolean {
  const said = project.sources.find(({ name }) => name === source)!.tenants;
  if (said === "none") return id === "default";
  const isThere = tenants.some((tenant) => tenant.id === id);
  return isThere && (typeof said === "object" ? said.includes(id) : true);
}

describe("whatever sources say of their tenants", () => {
  const everyId = ["a", "b", "c", "d", "default", "__proto__", "nobody"];
  const pairsOf = (chosen: ReturnType<typeof choosePairs>) =>
    chosen.flatMap((one) => one.tenants.map(({ id }) => JSON.stringify([streamName(one), id])));

  test("each stream is read exactly for those whom the rule names, once, in the project's order", () => {
    fc.assert(
      fc.property(anyWork, (all) => {
        const found = pairsOf(choosePairs(all));
        const wanted = all.project.sources.flatMap(({ name, streams }) =>
          streams.flatMap((spec) =>
            everyId
              .filter((id) => isRead(all, name, id))
              .map((id) => JSON.stringify([`${name}.${spec.name}`, id])),
          ),
        );
        expect(new Set(found)).toEqual(new Set(wanted));
        expect(found).toHaveLength(wanted.length);
        const order = all.tenants.map(({ id }): string => id);
        for (const { tenants } of choosePairs(all)) {
          const places = tenants.map(({ id }) => order.indexOf(id));
          if (tenants.length > 1) expect(places).toEqual(places.toSorted((one, other) => one - other));
        }
      }),
    );
  });

  test("a choice is that part of all pairs that it names, or is refused for one that is not among them", () => {
    const anyChoice = fc.record({
      streams: fc.uniqueArray(fc.constantFrom("s1", "s2", "s3.x", "s1.y"), { maxLength: 2 }),
      tenants: fc.uniqueArray(fc.constantFrom(...everyId), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(anyWork, anyChoice, (all, choice) => {
        const every = pairsOf(choosePairs(all)).map((text) => JSON.parse(text) as [string, string]); // Made above.
        const isNamed = ([stream, id]: [string, string]): boolean =>
          (choice.streams.length === 0 ||
            choice.streams.some((name) => stream === name || stream.startsWith(`${name}.`))) &&
          (choice.tenants.length === 0 || choice.tenants.includes(id));
        const named = every.filter(isNamed);
        let found: readonly string[];
        try {
          found = pairsOf(choosePairs(all, choice));
        } catch (error) {
          if (!isLeatError(error)) throw error;
          // Refused: a name is nobody's, or names a part that is empty.
          const streams = choice.streams.every((name) =>
            every.some(([stream]) => stream === name || stream.startsWith(`${name}.`)),
          );
          const isComplete =
            streams &&
            choice.tenants.every((id) => named.some(([, own]) => own === id)) &&
            choice.streams.every((name) =>
              named.some(([stream]) => stream === name || stream.startsWith(`${name}.`)),
            );
          expect({ code: error.code, isComplete }).toMatchObject({
            code: expect.stringMatching(/^(STREAM_UNKNOWN|TENANT_UNKNOWN|TENANT_NOT_READ)$/),
            isComplete: false,
          });
          return;
        }
        expect(found).toEqual(named.map((pair) => JSON.stringify(pair)));
      }),
    );
  });
});
