/** What holds whenever something is wrong for one stream of one tenant: it is told, nothing is lost, others are served. */
import { expect } from "vitest";
import type { ShopWorld, Synced } from "./shop-world.ts";

/** The tenant and stream that something is wrong with. */
export const afflicted = { tenant: "414", stream: "orders" } as const;

export type Trouble = Readonly<{
  code: string;
  /** In the message: what is wrong. */
  says: RegExp;
  /** In the hint: what to do. */
  hint: RegExp;
  /** Default `extract-failed`. */
  status?: "extract-failed" | "load-failed";
  damage: (world: ShopWorld) => unknown;
  mend: (world: ShopWorld) => unknown;
}>;

/** Goes all the way: well, changed, damaged, told, mended, well. */
export async function expectOneFails(world: ShopWorld, trouble: Trouble): Promise<Synced> {
  expect(await world.sync()).toMatchObject({ code: 0 });
  await world.expectTruth();
  world.change();
  const before = await world.standings();
  await trouble.damage(world);
  const told = await world.sync();
  await expectTold(world, told, trouble);
  expect((await world.standings()).get("orders/414"), "the cursor has not moved").toEqual(
    before.get("orders/414"),
  );
  await trouble.mend(world);
  await expectMended(world);
  return told;
}

/** The failure names place and remedy, on stderr as in JSON; all others were served; no key was written. */
export async function expectTold(
  world: ShopWorld,
  told: Synced,
  { code, says, hint, status = "extract-failed" }: Omit<Trouble, "damage" | "mend">,
): Promise<void> {
  const ends = told.results.map((one) => [`${one.stream}/${one.tenant_id}`, one.ok, one.error?.code]);
  expect({ code: told.code, ends }, told.stderr).toEqual({
    code: 1,
    ends: [
      ["orders/414", false, code],
      ["orders/41", true, undefined],
      ["items/414", true, undefined],
      ["items/41", true, undefined],
    ],
  });
  const failed = told.results[0]!; // The first of the four above.
  expect(failed.status).toBe(status);
  expect(failed.error).toMatchObject({
    message: expect.stringMatching(says),
    hint: expect.stringMatching(hint),
    details: { source: "shop", stream: "orders", tenant: "414" },
  });
  expectLine(told.stderr, code, hint);
  await world.expectTruth((stream, tenant) => stream === afflicted.stream && tenant === afflicted.tenant);
  world.expectNoSecret();
}

/** `error CODE: …` with stream and tenant, and a hint. */
export function expectLine(stderr: string, code: string, hint: RegExp): void {
  const block = stderr.split(/^(?=error )/m).find((one) => one.startsWith(`error ${code}: `)) ?? "";
  expect(block, stderr).toMatch(/orders/);
  expect(block, stderr).toMatch(/\b414\b/);
  expect(block.slice(block.indexOf("\n  hint: ")), stderr).toMatch(hint);
}

/** The next sync brings in exactly what the partner has. */
export async function expectMended(world: ShopWorld): Promise<void> {
  const told = await world.sync();
  expect(told, told.stderr).toMatchObject({ code: 0, stderr: "" });
  await world.expectTruth();
  const again = await world.sync();
  expect(again.results.map((one) => one.counts?.["landed"])).toEqual([0, 0, 0, 0]);
  world.expectNoSecret();
}
