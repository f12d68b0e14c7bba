/** What every ledger keeps of runs: owners, fences, keys, order, ends. */
import assert from "node:assert/strict";
import type { WorkerId } from "../model/run-ids.ts";
import type { FlowRun } from "../model/run-record.ts";
import { runMoves, runStates } from "../model/run-state.ts";
import type { Ledger } from "../ports/ledger.ts";
import {
  addWorker,
  claim,
  type DefineLedgerTest,
  failure,
  fenceOf,
  keyOf,
  newRun,
  nobody,
  opening,
  startRun,
  succeeded,
} from "./ledger-under-test.ts";

const hasCode = (code: string) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code;

const stateOf = async (ledger: Ledger, run: { id: FlowRun["id"] }) => (await ledger.readRun(run.id))?.state;

const claimers = 20;

/** Defines the tests of making and owning runs. */
export function ledgerRunContract(check: DefineLedgerTest): void {
  check("a run is there as it was handed in, for every process", async ({ ledger, reopen }) => {
    const wanted = newRun(ledger, {
      params: { text: "ä\u0000\ud83d\ude00", list: [1, null, true], deep: { a: 1.5 } },
      cause: { kind: "schedule", schedule: "nightly" },
      scheduledAtMs: 5,
      lateAtMs: ledger.nowMs() + 9,
      priority: -3,
      keyLimit: keyOf("tenant 41", 2),
      idempotencyKey: "once",
    });
    const { outcome, run } = await ledger.submitRun(wanted);
    assert.equal(outcome, "created");
    assert.deepEqual({ ...run, ...wanted }, run);
    assert.equal(run.state, "queued");
    assert.deepEqual(await (await reopen()).readRun(run.id), run);
  });

  check("runs of one tenant are found by their parameter, whoever began them", async ({ ledger }) => {
    const made: FlowRun[] = [];
    for (const params of [{ tenant: "41" }, { tenant: "4" }, { tenants: ["41"] }, { tenant: 41 }, null, "41"])
      made.push((await ledger.submitRun(newRun(ledger, { params }))).run);
    const { fence, workerId } = await startRun(ledger);
    const child = newRun(ledger, { params: { tenant: "41" } });
    const adopted = await ledger.adoptRun(fence, "sub:1:1", child, { workerId, codeVersion: null });
    assert.equal(adopted.status, "adopted");
    const found = (await ledger.listRuns({ tenant: "41" })).map(({ id, tenant }) => [id, tenant]);
    assert.deepEqual(new Set(found.map(([id]) => id)), new Set([made[0]!.id, child.id]));
    assert.deepEqual(
      found.map(([, tenant]) => tenant),
      ["41", "41"],
    );
    assert.deepEqual(
      (await ledger.countByState({ tenant: "4" })).map(({ state, count }) => [state, count]),
      [["queued", 1]],
    );
    assert.deepEqual(await ledger.listRuns({ tenant: "nobody" }), []);
  });

  check("a run that is handed in twice, by id or by its idempotency key, is one", async ({ ledger }) => {
    const first = newRun(ledger, { idempotencyKey: "schedule:nightly:2026-01-01" });
    assert.equal((await ledger.submitRun(first)).outcome, "created");
    assert.equal((await ledger.submitRun(first)).outcome, "created");
    const again = await ledger.submitRun(newRun(ledger, { idempotencyKey: first.idempotencyKey }));
    assert.deepEqual([again.outcome, again.run.id], ["exists", first.id]);
    assert.equal((await ledger.listRuns({})).length, 1);
  });

  check("of many that hand in one idempotency key at once one makes the run", async ({ ledger, reopen }) => {
    const ledgers = [ledger, await reopen()];
    const answers = await Promise.all(
      Array.from({ length: claimers }, (_, n) =>
        ledgers[n % 2]!.submitRun(newRun(ledger, { idempotencyKey: "one" })),
      ),
    );
    assert.equal(answers.filter(({ outcome }) => outcome === "created").length, 1);
    assert.equal(new Set(answers.map(({ run }) => run.id)).size, 1);
  });

  check(
    "F2 of many that claim a run at once one gets it, as its first attempt",
    async ({ ledger, reopen }) => {
      const ledgers = [ledger, await reopen()];
      const { run } = await ledger.submitRun(newRun(ledger));
      const workers = await Promise.all(Array.from({ length: claimers }, () => addWorker(ledger)));
      const answers = await Promise.all(
        workers.map((workerId, n) => ledgers[n % 2]!.claimRun(run.id, { workerId, codeVersion: null })),
      );
      assert.equal(answers.filter(({ status }) => status === "claimed").length, 1);
      assert.equal(answers.filter(({ status }) => status === "gone").length, claimers - 1);
      const owner = workers[answers.findIndex(({ status }) => status === "claimed")];
      const owned = await ledger.readRun(run.id);
      assert.deepEqual([owned?.state, owned?.attempt, owned?.workerId], ["running", 1, owner]);
      assert.deepEqual(
        (await ledger.listAttempts(run.id)).map(({ attempt, workerId, end }) => [attempt, workerId, end]),
        [[1, owner, null]],
      );
    },
  );

  check(
    "F1 a run takes the moves that the table allows and refuses all others",
    async ({ ledger, advance }) => {
      for (const state of runStates) {
        for (const move of ["claim", "cancel", "again", "succeed", "suspend"] as const) {
          const { run, fence } = await runIn(ledger, state);
          const tried = {
            claim: async () =>
              (await ledger.claimRun(run.id, { workerId: nobody, codeVersion: null })).status,
            cancel: async () => (await ledger.cancelRun(run.id, "test")).status,
            again: async () => (await ledger.retryRun(run.id, { fromTask: "make" })).state,
            succeed: async () => (await ledger.endAttempt(fence, { move: "succeed", result: null })).status,
            suspend: async () =>
              (await ledger.endAttempt(fence, { move: "suspend", wakeAtMs: null, questions: 0 })).status,
          }[move];
          const answer = await tried().catch((error: unknown) => {
            assert.ok(hasCode("RUN_STATE")(error), `${move} from ${state}: ${String(error)}`);
            return "refused";
          });
          const isTaken = !["refused", "fenced", "gone"].includes(answer);
          const expected = runMoves[state][move] ?? state;
          // What is over and is ended once more in the same way, or is being cancelled already, is told so again.
          const isRepeat =
            (move === "succeed" && state === "succeeded") ||
            (move === "suspend" && state === "waiting") ||
            (move === "cancel" && state === "cancelling");
          assert.equal(
            isTaken,
            runMoves[state][move] !== null || isRepeat,
            `${move} from ${state}: ${answer}`,
          );
          assert.equal(await stateOf(ledger, run), expected, `${move} from ${state}`);
        }
        advance(1);
      }
    },
  );

  check("F10 runs are listed by priority, then by age", async ({ ledger, advance }) => {
    const names = ["old", "young", "urgent", "unimportant"];
    for (const [index, deployment] of names.entries()) {
      await ledger.submitRun(newRun(ledger, { deployment, priority: [0, 0, 5, -5][index] ?? 0 }));
      advance(1);
    }
    await ledger.submitRun(newRun(ledger, { deployment: "elsewhere", pool: "other" }));
    await ledger.submitRun(newRun(ledger, { deployment: "later", startAtMs: ledger.nowMs() + 1000 }));
    const claimable = async () =>
      (await ledger.listClaimable({ pools: ["default"], limit: 10 })).map((run) => run.deployment);
    assert.deepEqual(await claimable(), ["urgent", "old", "young", "unimportant"]);
    advance(1000);
    assert.deepEqual(await claimable(), ["urgent", "old", "young", "later", "unimportant"]);
    assert.equal((await ledger.listClaimable({ pools: ["default", "other"], limit: 10 })).length, 6);
    assert.equal((await ledger.listClaimable({ pools: [], limit: 10 })).length, 0);
  });

  check("F10 whichever run of a key is asked for, the one that goes first is claimed", async (place) => {
    const { ledger, advance } = place;
    const workerId = await addWorker(ledger);
    const runs: FlowRun[] = [];
    for (const priority of [0, 0, 1]) {
      runs.push((await ledger.submitRun(newRun(ledger, { priority, keyLimit: keyOf("k", 3) }))).run);
      advance(1);
    }
    const order: number[] = [];
    for (let n = 0; n < 3; n++) {
      const claimed = await ledger.claimRun(runs[order.includes(1) ? 0 : 1]!.id, {
        workerId,
        codeVersion: null,
      });
      order.push(claimed.status === "claimed" ? runs.findIndex(({ id }) => id === claimed.run.id) : -1);
    }
    assert.deepEqual(order, [2, 0, 1]);
  });

  check("a run is not claimed before its time", async ({ ledger, advance }) => {
    const workerId = await addWorker(ledger);
    const startAtMs = ledger.nowMs() + 60_000;
    const { run } = await ledger.submitRun(newRun(ledger, { startAtMs }));
    const by = { workerId, codeVersion: null };
    assert.deepEqual(await ledger.claimRun(run.id, by), { status: "early", startAtMs });
    advance(60_000);
    assert.equal((await ledger.claimRun(run.id, by)).status, "claimed");
  });

  check("F8 a key is held by as many runs as its limit, however many claim at once", async (place) => {
    const { ledger } = place;
    const ledgers = [ledger, await place.reopen()];
    const workerId = await addWorker(ledger);
    const runs = await Promise.all(
      Array.from(
        { length: 10 },
        async () => (await ledger.submitRun(newRun(ledger, { keyLimit: keyOf("k", 3) }))).run,
      ),
    );
    const answers = await Promise.all(
      runs.map((run, n) => ledgers[n % 2]!.claimRun(run.id, { workerId, codeVersion: null })),
    );
    assert.equal(answers.filter(({ status }) => status === "claimed").length, 3);
    assert.equal((await ledger.listClaimable({ pools: ["default"], limit: 20 })).length, 0);
    const held = answers.flatMap((answer) => (answer.status === "claimed" ? [answer.run] : []));
    const ended = await ledger.endAttempt(fenceOf(held[0]!), { move: "succeed", result: null });
    const next = ended.status === "ended" ? ended.next : [];
    assert.ok(next.length > 0 && next.every((run) => run.state === "queued"));
    assert.equal((await claim(ledger, next[0]!, workerId)).state, "running");
    const one = (await ledger.listRuns({ states: ["queued"] }))[0]!;
    assert.equal((await ledger.claimRun(one.id, { workerId, codeVersion: null })).status, "limited");
  });

  check(
    "F8 a run holds its key while it waits or is lost, and not while it waits for a retry",
    async (place) => {
      const { ledger, advance } = place;
      /** What another run of the key is given: the key, nothing, or the turn of the run that holds it. */
      const ask = async (workerId: WorkerId) => {
        const other = (await ledger.submitRun(newRun(ledger, { keyLimit: keyOf("k") }))).run;
        const claimed = await ledger.claimRun(other.id, { workerId, codeVersion: null });
        const isOwn = claimed.status === "claimed" && claimed.run.id === other.id;
        await ledger.cancelRun(other.id, "tried");
        if (isOwn)
          await ledger.endAttempt({ runId: other.id, attempt: 1 }, { move: "stop", error: failure("tried") });
        return isOwn ? "free" : claimed.status === "claimed" ? claimed.run.id : claimed.status;
      };
      const { run, fence, workerId } = await startRun(ledger, { keyLimit: keyOf("k") });
      assert.equal(await ask(workerId), "limited");
      await ledger.endAttempt(fence, { move: "suspend", wakeAtMs: ledger.nowMs() + 10, questions: 0 });
      assert.equal(await ask(workerId), "limited", "while it waits");
      advance(10);
      assert.equal((await ledger.wakeRuns()).length, 1);
      assert.equal(await ask(workerId), run.id, "while it is queued after it woke");
      advance(60_000);
      assert.equal((await ledger.sweepLost(() => undefined)).requeued.length, 1);
      assert.equal(await ask(await addWorker(ledger)), run.id, "while it is queued after it was lost");
      const owned = (await ledger.readRun(run.id))!;
      assert.deepEqual([owned.state, owned.attempt], ["running", 3]);
      const startAtMs = ledger.nowMs() + 1000;
      await ledger.endAttempt(fenceOf(owned), { move: "retry", error: failure("once"), startAtMs });
      assert.equal(await ask(workerId), "free", "while it waits for its retry");
    },
  );

  check("a run whose key is taken is skipped where its flow says so", async ({ ledger }) => {
    const limit = keyOf("k", 1, "skip");
    const first = await ledger.submitRun(newRun(ledger, { keyLimit: limit }));
    const second = await ledger.submitRun(newRun(ledger, { keyLimit: limit }));
    assert.deepEqual([first.outcome, second.outcome, second.run.state], ["created", "skipped", "skipped"]);
    assert.deepEqual(
      (await ledger.listEvents({})).map(({ kind }) => kind),
      ["run.skipped"],
    );
    await ledger.cancelRun(first.run.id, "test");
    assert.equal((await ledger.submitRun(newRun(ledger, { keyLimit: limit }))).outcome, "created");
  });

  check("the oldest run of a key makes way where its flow says so", async ({ ledger, advance }) => {
    const limit = keyOf("k", 2, "cancel-old");
    const running = await startRun(ledger, { keyLimit: limit });
    advance(1);
    const queued = await ledger.submitRun(newRun(ledger, { keyLimit: limit }));
    assert.deepEqual(queued.cancelled, []);
    advance(1);
    const third = await ledger.submitRun(newRun(ledger, { keyLimit: limit }));
    assert.deepEqual(third.cancelled, [running.run.id]);
    assert.equal(await stateOf(ledger, running.run), "cancelling");
    advance(1);
    const fourth = await ledger.submitRun(newRun(ledger, { keyLimit: limit }));
    assert.deepEqual(fourth.cancelled, [queued.run.id]);
    assert.equal(await stateOf(ledger, queued.run), "cancelled");
  });

  check(
    "a queued run stands for later ones of its coalescing key, until it has begun",
    async ({ ledger }) => {
      const facts = { coalesceKey: "trigger:build" };
      const first = await ledger.submitRun(newRun(ledger, facts));
      const second = await ledger.submitRun(newRun(ledger, facts));
      assert.deepEqual([second.outcome, second.run.id], ["coalesced", first.run.id]);
      await claim(ledger, first.run, await addWorker(ledger));
      const third = await ledger.submitRun(newRun(ledger, facts));
      assert.equal(third.outcome, "created");
    },
  );

  check("F3 an attempt that was taken over writes nothing any more", async ({ ledger, advance }) => {
    const { run, fence } = await startRun(ledger);
    await ledger.openTask(fence, opening("make::1"));
    advance(60_000);
    await ledger.sweepLost(() => undefined);
    const successor = fenceOf(await claim(ledger, run, await addWorker(ledger)));
    assert.equal(await ledger.openTask(successor, opening("make::1")), "opened");
    const line = { seq: 1, atMs: 1, level: "info", taskKey: null, message: "late", data: null } as const;
    const artifact = { name: "a", kind: "markdown", taskKey: null, data: "late" } as const;
    assert.deepEqual(
      [
        await ledger.openTask(fence, opening("other::1")),
        await ledger.changeTask(fence, "make::1", succeeded('"late"')),
        await ledger.changeTask(fence, "make::1", { move: "fail", error: failure("late") }),
        await ledger.appendLogs(fence, "flow", [line]),
        await ledger.appendLogs(fence, "watch", [line]),
        await ledger.saveArtifact(fence, artifact),
        (await ledger.endAttempt(fence, { move: "succeed", result: { json: '"late"' } })).status,
        (await ledger.adoptRun(fence, "sub::1", newRun(ledger), { workerId: nobody, codeVersion: null }))
          .status,
      ],
      Array.from({ length: 8 }, () => "fenced"),
    );
    assert.equal(await ledger.changeTask(successor, "make::1", succeeded('"good"')), "changed");
    const tasks = await ledger.readTasks(run.id);
    assert.deepEqual(
      tasks.map(({ key, result }) => [key, result]),
      [["make::1", { json: '"good"' }]],
    );
    assert.deepEqual([await ledger.readLogs(run.id, {}), await ledger.listArtifacts(run.id)], [[], []]);
  });

  check(
    "a run keeps the code it began with, and is marked when it goes on with other code",
    async (place) => {
      const { ledger, advance } = place;
      const { run, fence } = await startRun(ledger); // With `code-1`.
      await ledger.endAttempt(fence, { move: "release" });
      const codes = ["code-1", "code-2", "code-1"];
      const seen: unknown[] = [];
      for (const codeVersion of codes) {
        const claimed = await ledger.claimRun(run.id, { workerId: await addWorker(ledger), codeVersion });
        assert.ok(claimed.status === "claimed");
        seen.push([claimed.run.codeVersion, claimed.run.isCodeChanged]);
        advance(60_000);
        await ledger.sweepLost(() => undefined);
      }
      assert.deepEqual(seen, [
        ["code-1", false],
        ["code-1", true],
        ["code-1", true],
      ]);
      const attempts = (await ledger.listAttempts(run.id)).map(({ codeVersion }) => codeVersion);
      assert.deepEqual(attempts, ["code-1", ...codes]);
    },
  );

  check("an end that is told twice is one, and another end after it is refused", async ({ ledger }) => {
    const { run, fence } = await startRun(ledger);
    const end = { move: "succeed", result: { json: "[1]" } } as const;
    assert.equal((await ledger.endAttempt(fence, end)).status, "ended");
    assert.equal((await ledger.endAttempt(fence, end)).status, "ended");
    assert.equal((await ledger.endAttempt(fence, { move: "fail", error: failure("late") })).status, "fenced");
    const ended = await ledger.readRun(run.id);
    assert.deepEqual([ended?.state, ended?.result, ended?.error], ["succeeded", { json: "[1]" }, null]);
    assert.deepEqual(
      (await ledger.listAttempts(run.id)).map((one) => one.end),
      ["succeed"],
    );
    assert.equal((await ledger.listEvents({})).length, 1);
  });
}

/** A new run that has been brought into a state, by the moves that lead there. */
async function runIn(
  ledger: Ledger,
  state: FlowRun["state"],
): Promise<Readonly<{ run: FlowRun; fence: { runId: FlowRun["id"]; attempt: number } }>> {
  if (state === "queued" || state === "skipped") {
    const limit = keyOf(`runIn ${state}`, 1, "skip");
    const first = (await ledger.submitRun(newRun(ledger, state === "skipped" ? { keyLimit: limit } : {})))
      .run;
    const run =
      state === "queued" ? first : (await ledger.submitRun(newRun(ledger, { keyLimit: limit }))).run;
    if (state === "skipped") await ledger.cancelRun(first.id, "made way").catch(() => {}); // It may be over already.
    return { run, fence: { runId: run.id, attempt: 1 } };
  }
  const { run, fence } = await startRun(ledger);
  await ledger.openTask(fence, opening("make::1"));
  await ledger.changeTask(fence, "make::1", succeeded("1"));
  if (state === "cancelling") await ledger.cancelRun(run.id, "test");
  if (state === "waiting") await ledger.endAttempt(fence, { move: "suspend", wakeAtMs: null, questions: 0 });
  if (state === "succeeded") await ledger.endAttempt(fence, { move: "succeed", result: null });
  if (state === "failed") await ledger.endAttempt(fence, { move: "fail", error: failure("test") });
  if (state === "cancelled") await ledger.endAttempt(fence, { move: "stop", error: failure("test") });
  return { run, fence };
}
