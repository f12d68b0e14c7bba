/** Many runs of the control API at once. */
import { expect, test } from "vitest";
import { flow } from "../../src/flow/flow.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";
import { type ApiStand, token, withApi } from "./open-api.ts";

const headers = { authorization: `Bearer ${token}` };
const get = async ({ app, checked }: ApiStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers })).json();
const post = async ({ app, checked }: ApiStand, url: string, payload: object) =>
  checked("POST", url, await app.inject({ method: "POST", url, headers, payload }));

/** Runs in a pool that nobody works for. */
async function queue(ledger: Ledger, count: number, pool = "nobody"): Promise<readonly string[]> {
  const ids: string[] = [];
  const facts = { flow: "letters", deployment: "letters", params: {}, pool };
  for (let n = 0; n < count; n++) ids.push((await ledger.submitRun(newRun(ledger, facts))).run.id);
  return ids;
}

test("all that a filter finds are cancelled, page by page, and none beside them", async () => {
  await withApi(async (stand) => {
    await queue(stand.ledger, 1050);
    const [other] = await queue(stand.ledger, 1, "other");
    const answer = await post(stand, "/api/runs/cancel", { filter: { pool: "nobody" }, reason: "too many" });
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.json()).toEqual({
      matched: 1050,
      changed: { cancelled: 1050 },
      refused: {},
      refusals: [],
      next: null,
    });
    expect(await get(stand, "/api/runs/counts?pool=nobody")).toEqual({
      count: 1050,
      states: { cancelled: 1050 },
    });
    expect(await get(stand, "/api/runs/counts")).toEqual({
      count: 1051,
      states: { cancelled: 1050, queued: 1 },
    });
    expect((await get(stand, `/api/runs/${other}`)).run.state).toBe("queued");
    const again = await post(stand, "/api/runs/cancel", { filter: { pool: "nobody" } });
    expect(again.json()).toMatchObject({ matched: 0, changed: {} }); // What is over is not found.
  });
});

test("runs named by their ids are retried, and those that cannot be are told by why", async () => {
  await withApi(async (stand) => {
    const ids = await queue(stand.ledger, 3);
    await post(stand, "/api/runs/cancel", { ids: ids.slice(0, 2) });
    const succeeded = await stand.run("letters");
    const answer = await post(stand, "/api/runs/retry", {
      ids: [...ids, ...ids, succeeded, "0000000000000000"],
    });
    expect(answer.json()).toMatchObject({
      matched: 5,
      changed: { queued: 2 },
      refused: { RUN_STATE: 2, RUN_UNKNOWN: 1 },
      next: null,
    });
    expect(answer.json().refusals.map(({ id }: { id: string }) => id)).toEqual([
      ids[2],
      succeeded,
      "0000000000000000",
    ]);
    expect(await get(stand, "/api/runs/counts?state=queued")).toEqual({ count: 3, states: { queued: 3 } });
  });
});

test("runs that are retried begin at once, and a filter without a state finds those that failed", async () => {
  let isOpen = false;
  const door = flow("door", {}, async () => {
    if (!isOpen) throw new Error("the door is shut");
  });
  await withApi(
    async (stand) => {
      await stand.run("door");
      await stand.run("door");
      await stand.run("letters"); // Another flow, and not failed.
      isOpen = true;
      const retried = await post(stand, "/api/runs/retry", { filter: { deployment: "door" } });
      expect(retried.json()).toMatchObject({ matched: 2, changed: { queued: 2 }, refused: {} });
      await expect
        .poll(() => get(stand, "/api/runs/counts?flow=door"), { timeout: 10_000 })
        .toEqual({ count: 2, states: { succeeded: 2 } });
    },
    { token, flows: [door] },
  );
});

test("a request that names no runs, or both ways, changes nothing", async () => {
  await withApi(async (stand) => {
    const [id] = await queue(stand.ledger, 1);
    for (const body of [{}, { ids: [id], filter: {} }, { ids: [] }, { filter: { stat: ["failed"] } }]) {
      const answer = await post(stand, "/api/runs/cancel", body);
      expect(answer.statusCode, JSON.stringify(body)).toBe(400);
      expect(answer.json()).toMatchObject({ code: "USAGE" });
    }
    expect((await get(stand, `/api/runs/${id}`)).run.state).toBe("queued");
    const denied = await stand.app.inject({
      method: "POST",
      url: "/api/runs/cancel",
      payload: { filter: {} },
    });
    expect(denied.statusCode).toBe(401);
  });
});
