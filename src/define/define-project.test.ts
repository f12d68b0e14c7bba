import { describe, expect, test } from "vitest";
import { LeatError } from "../errors/leat-error.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ProjectDeclaration } from "../ports/project.ts";
import type { Source } from "../ports/source.ts";
import { defineProject } from "./define-project.ts";

/** A source of streams of which only what a project looks at is there. */
function fakeSource(name: string, streams: Readonly<Record<string, Partial<StreamSpec>>>): Source {
  const specs = Object.entries(streams).map(([stream, spec]) => ({
    source: name,
    name: stream,
    landingTable: `${name}_${stream}`,
    partitions: undefined,
    ...spec,
  }));
  return {
    name,
    streams: specs as unknown as StreamSpec[], // The rest of a spec is the sources' own business.
    open: () => Promise.reject(new Error("not in this test")),
  };
}

function faultsOf(declaration: unknown): readonly unknown[] {
  try {
    defineProject(declaration as ProjectDeclaration);
  } catch (error) {
    if (error instanceof LeatError && error.code === "CONFIG_INVALID") {
      return error.details["faults"] as readonly unknown[];
    }
    throw error;
  }
  return [];
}

const childOf = (stream: string) =>
  ({ partitions: { from: "stream", stream, field: "id", column: undefined, when: "always" } }) as const;

describe("defineProject", () => {
  test("fills in what is not said, and freezes", () => {
    const project = defineProject({ name: "shop", sources: [fakeSource("shop", { orders: {} })] });
    expect(project).toMatchObject({
      tenantColumn: "tenant_id",
      landing: "file:.leat/landing",
      warehouse: "duckdb:.leat/warehouse.duckdb",
    });
    expect(project.tenants).toBeUndefined();
    expect(Object.isFrozen(project)).toBe(true);
    expect(Object.isFrozen(project.sources)).toBe(true);
  });

  test("refuses a source that names a tenant which is not in the project's list", () => {
    const source = { ...fakeSource("shop", { orders: {} }), tenants: ["414", "441"] };
    const declaration = { name: "shop", sources: [source], tenants: [{ id: "414" }, { id: "415" }] };
    expect(faultsOf(declaration)).toEqual([
      {
        path: "sources[0].tenants",
        problem: 'there is no tenant "441". Did you mean "414"? Known tenants: 414, 415.',
      },
    ]);
    expect(faultsOf({ ...declaration, tenants: [{ id: "414" }, { id: "441" }] })).toEqual([]);
  });

  test("lists all faults, each with its path", () => {
    const declaration = {
      name: "",
      sources: [{ name: "shop" }],
      tenantColumn: "1st",
      warehous: "duckdb:x",
    };
    expect(faultsOf(declaration)).toEqual(
      expect.arrayContaining([
        { path: "name", problem: "must not be empty" },
        { path: "sources[0]", problem: expect.stringContaining("is not a source") },
        { path: "tenantColumn", problem: expect.stringContaining("letters, digits and _") },
        { path: "warehous", problem: "unknown option" },
      ]),
    );
    expect(faultsOf(declaration)).toHaveLength(4);
  });

  test("refuses what is no declaration at all", () => {
    expect(faultsOf(undefined)).toHaveLength(1);
    expect(faultsOf({ name: "x", sources: [] })).toEqual([
      { path: "sources", problem: "must name at least one source, or `flows` one flow" },
    ]);
  });

  test("refuses names that a warehouse would take for one", () => {
    const sources = [fakeSource("shop", { orders: {}, Orders: {} }), fakeSource("SHOP", { items: {} })];
    expect(faultsOf({ name: "x", sources })).toEqual([
      { path: "sources[0].streams[1].name", problem: '"Orders" is also the name of sources[0].streams[0]' },
      { path: "sources[1].name", problem: '"SHOP" is also the name of sources[0]' },
    ]);
  });

  test("refuses two streams in one landing table", () => {
    const sources = [
      fakeSource("a", { one: { landingTable: "shared" } }),
      fakeSource("b", { two: { landingTable: "Shared" } }),
    ];
    expect(faultsOf({ name: "x", sources })).toEqual([
      { path: "sources[1].streams[0].landingTable", problem: '"Shared" is also the landing table of a.one' },
    ]);
  });

  test("refuses parents that lead in a circle, which could never be read", () => {
    const sources = [fakeSource("shop", { orders: childOf("items"), items: childOf("orders"), free: {} })];
    expect(faultsOf({ name: "x", sources })).toEqual([
      { path: "sources[0].streams[0].parent", problem: "leads back to the stream itself" },
      { path: "sources[0].streams[1].parent", problem: "leads back to the stream itself" },
    ]);
  });

  test("refuses a partition column that would hide the tenant's", () => {
    const parts = { partitions: { from: "tenant", field: "licenses", column: "Tenant_ID" } } as const;
    expect(faultsOf({ name: "x", sources: [fakeSource("shop", { orders: parts })] })).toEqual([
      {
        path: "sources[0].streams[0].partitions.column",
        problem: '"Tenant_ID" is the tenant\'s column; name another',
      },
    ]);
  });

  test("a project of flows needs no sources; names of flows and deployments differ", () => {
    const spec = { name: "nightly" };
    expect(defineProject({ name: "jobs", flows: [{ spec }] })).toMatchObject({
      sources: [],
      flows: [{ spec }],
      load: "leat",
      ledger: "sqlite:.leat/ledger.db",
    });
    const deployments = [{ name: "nightly", flow: spec }];
    expect(faultsOf({ name: "jobs", flows: [{ spec }, { spec }], deployments })).toEqual([
      { path: "flows[1].name", problem: '"nightly" is also the name of flows[0]' },
      { path: "deployments[0].name", problem: '"nightly" is also the name of flows[0]' },
    ]);
    expect(faultsOf({ name: "jobs", flows: [{ name: "nightly" }] })).toEqual([
      { path: "flows[0]", problem: expect.stringContaining("is not a flow") },
    ]);
  });
});
