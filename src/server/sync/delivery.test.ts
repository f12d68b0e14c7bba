import { describe, expect, test } from "vitest";
import { readDeliveryKey, readTrace } from "./delivery.ts";

const nowMs = Date.UTC(2026, 0, 1, 3, 0, 5);

describe("readDeliveryKey", () => {
  test("the caller's own name goes first, then the task's, then the tick's", () => {
    const tick = {
      "x-cloudscheduler-jobname": "shop-orders-414",
      "x-cloudscheduler-scheduletime": "2026-01-01T03:00:00Z",
    };
    const task = { ...tick, "x-cloudtasks-queuename": "syncs", "x-cloudtasks-taskname": "t-1" };
    expect(readDeliveryKey({ ...task, "idempotency-key": "mine" }, nowMs)).toBe("mine");
    expect(readDeliveryKey(task, nowMs)).toBe("syncs/t-1");
    expect(readDeliveryKey(tick, nowMs)).toBe("shop-orders-414@2026-01-01T03:00:00Z");
    expect(readDeliveryKey({}, nowMs)).toBeUndefined();
  });

  test("a run by hand that carries the next tick's time does not take its name", () => {
    const forced = {
      "x-cloudscheduler-jobname": "nightly",
      "x-cloudscheduler-scheduletime": "2026-01-02T03:00:00Z",
    };
    const early = readDeliveryKey(forced, nowMs);
    expect(early).toBe("nightly@2026-01-02T03:00:00Z by hand");
    expect(readDeliveryKey(forced, Date.UTC(2026, 0, 2, 3, 0, 1))).not.toBe(early);
  });

  test("half of the scheduler's headers name nothing", () => {
    expect(readDeliveryKey({ "x-cloudscheduler-jobname": "nightly" }, nowMs)).toBeUndefined();
    expect(() => readDeliveryKey({ "idempotency-key": "" }, nowMs)).toThrow(/1 to 255/);
  });
});

describe("readTrace", () => {
  const id = "4bf92f3577b34da6a3ce929d0e0e4736";

  test("Cloud Run's header and the standard's give the same fields", () => {
    const wanted = {
      "logging.googleapis.com/trace": `projects/my-project/traces/${id}`,
      "logging.googleapis.com/spanId": "00f067aa0ba902b7",
      "logging.googleapis.com/trace_sampled": true,
    };
    const span = BigInt("0x00f067aa0ba902b7");
    expect(readTrace({ "x-cloud-trace-context": `${id}/${span};o=1` }, "my-project")).toEqual(wanted);
    expect(readTrace({ traceparent: `00-${id}-00f067aa0ba902b7-01` }, "my-project")).toEqual(wanted);
  });

  test("without a project the lines are grouped all the same", () => {
    expect(readTrace({ "x-cloud-trace-context": id }, undefined)).toEqual({
      "logging.googleapis.com/trace": id,
      "logging.googleapis.com/trace_sampled": false,
    });
  });

  test.each([
    "",
    "zzz",
    `${id.slice(1)}/1`,
    `${id}/x`,
    `${id}/1;o=2`,
  ])("what cannot be read (%s) is left out", (text) => {
    expect(readTrace({ "x-cloud-trace-context": text, traceparent: text }, "p")).toEqual({});
  });
});
