import { expect, test } from "vitest";
import { parseTurns } from "./turn-table.ts";

type Row = Readonly<Record<string, string | null>>;
const count = (n: number, headsAt: number | null = n): Row => ({
  n: String(n),
  heads_at: headsAt === null ? null : String(headsAt),
  tenant: null,
});
const head = (n: number, tenant: string): Row => ({
  n: String(n),
  heads_at: String(n),
  tenant,
  seq: "7",
  manifest_hash: "f".repeat(64),
  loaded: "20",
  rejected: "1",
  generation: "5",
  packages: "3",
  loaded_total: "60",
  refreshed: "2",
});

test("a head says a tenant's newest package, and what all of them come to", () => {
  const { turn, heads } = parseTurns([head(4, "41"), count(4), head(4, "414")]);
  expect([turn, [...(heads ?? [])].map(([tenant]) => tenant)]).toEqual([4, ["41", "414"]]);
  expect([...(heads ?? [])][0]?.[1]).toEqual({
    newest: { seq: 7, manifestHash: "f".repeat(64), loaded: 20, rejected: 1, generation: 5 },
    packages: 3,
    loadedTotal: 60,
    isRefreshed: true,
  });
});

test("heads that a commit has not kept are not believed, nor is a table that has none", () => {
  expect(parseTurns([])).toEqual({ turn: -1, heads: undefined });
  expect(parseTurns([count(0, null)])).toEqual({ turn: 0, heads: undefined });
  expect(parseTurns([count(5, 4), head(5, "41")])).toEqual({ turn: 5, heads: undefined });
  expect(parseTurns([count(5)])).toEqual({ turn: 5, heads: new Map() });
});

test("of two rows that count, as two that make the table at once leave them, the later one is meant", () => {
  const late = count(3);
  expect(parseTurns([late, head(5, "41"), count(5)]).heads?.size).toBe(1);
  expect(parseTurns([late, head(5, "41"), count(5, 4)]).heads).toBeUndefined();
});

test("pages of two commits are not believed, whichever rows they have brought or missed", () => {
  for (const rows of [
    [count(4), head(4, "41"), head(5, "414")],
    [count(5), head(4, "41"), head(5, "414")],
    [count(4), head(5, "414")],
    [count(5), head(5, "41"), head(5, "41")],
  ])
    expect(parseTurns(rows), JSON.stringify(rows)).toEqual({ turn: 5, heads: undefined });
});
