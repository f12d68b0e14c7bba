import { describe, expect, test } from "vitest";
import { manifestOf } from "../../test/properties/manifest-of.ts";
import type { Head } from "../landing/log.ts";
import { toRunId } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import { planLoad } from "./plan-load.ts";

const data = (seq: number, given: Partial<Manifest> = {}): Head => ({
  manifest: manifestOf(seq, { kind: "data", ...given }),
  hash: `${seq}`,
});
const of = (seq: number, number: number, state: "open" | "completed", runId = "refresh"): Head =>
  data(seq, { runId: toRunId(runId), generation: { number, state, runId: toRunId(runId) } });
const plan = (...packages: Head[]) =>
  planLoad(packages).map(
    ({ head, completesGeneration }) => `${head.manifest.seq}${completesGeneration ? "!" : ""}`,
  );

describe("I11 packages are loaded", () => {
  test("in the order of seq", () => {
    expect(plan(data(1), data(3), data(4))).toEqual(["1", "3", "4"]);
    expect(plan()).toEqual([]);
  });

  test("I12 of an open generation not before it completes", () => {
    expect(plan(data(1), of(2, 2, "open"), of(3, 2, "open"))).toEqual(["1"]);
    expect(plan(data(1), of(2, 2, "open"), of(3, 2, "open"), of(4, 2, "completed"), data(5))).toEqual([
      "1",
      "2",
      "3",
      "4!",
      "5",
    ]);
  });

  test("I12 of an abandoned generation never, once a manifest of another run follows", () => {
    expect(plan(of(1, 1, "open"), data(2), data(3))).toEqual(["2", "3"]);
    expect(plan(of(1, 1, "open", "dead"), of(2, 2, "open"), of(3, 2, "completed"))).toEqual(["2", "3!"]);
    expect(plan(of(1, 1, "open", "dead"), of(2, 2, "completed"))).toEqual(["2!"]);
  });

  test("I12 a generation of one manifest completes itself", () => {
    expect(plan(of(1, 1, "completed"), of(2, 2, "completed", "next"))).toEqual(["1!", "2!"]);
  });

  test("I15 but not what a later manifest has given up", () => {
    const forget: Head = { manifest: manifestOf(3, { kind: "forget", forgets: [1] }), hash: "3" };
    expect(plan(data(1), data(2), forget, data(4))).toEqual(["2", "4"]);
  });
});
