import { describe, expect, test, vi } from "vitest";
import { toTenantId } from "../model/ids.ts";
import type { Clock, ProgressEvent } from "../ports/world.ts";
import { openProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

function open(options: { isLive: boolean; isQuiet?: boolean; rows?: number }) {
  let text = "";
  let nowMs = 0;
  const terminal: Terminal = {
    out: () => {
      throw new Error("progress is no result");
    },
    err: (more) => {
      text += more;
    },
    guard: () => {},
    redact: (same) => same,
    isLive: options.isLive,
    columns: 60,
    rows: options.rows ?? 24,
  };
  const clock: Clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
  const view = openProgress(terminal, clock, { isQuiet: options.isQuiet === true });
  return {
    ...view,
    read: () => {
      const read = text;
      text = "";
      return read;
    },
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const place = { source: "shop", stream: "orders", tenant: toTenantId("414") };
const extracting = (records: number, tenant = "414"): ProgressEvent => ({
  ...place,
  tenant: toTenantId(tenant),
  type: "extract",
  records,
  bytes: records * 1000,
  requests: 3,
});
const committed: ProgressEvent = { ...place, type: "committed", seq: 7, landed: 1234 };
const warning: ProgressEvent = { ...place, type: "warning", message: "odd \u001b[2J thing" };

describe("progress in a pipe", () => {
  test("is a plain line for what has happened, and now and then one for what goes on", () => {
    const { progress, read, advance } = open({ isLive: false });
    progress(extracting(10));
    progress(committed);
    expect(read()).toBe("shop.orders 414: committed package 7, 1,234 records\n");
    advance(9_000);
    progress(extracting(4500));
    expect(read()).toBe("");
    advance(1_000);
    progress(extracting(5000));
    progress(extracting(5001));
    expect(read()).toBe("shop.orders 414: 5,000 records, 5.0 MB, 500/s, 3 requests\n");
  });

  test("writes out what would move a terminal's cursor", () => {
    const { progress, read } = open({ isLive: false });
    progress(warning);
    expect(read()).toBe("warning: shop.orders 414: odd \\u001b[2J thing\n");
  });

  test("is silent when that was asked for, but for warnings", () => {
    const { progress, read } = open({ isLive: true, isQuiet: true });
    progress(extracting(10));
    progress(committed);
    expect(read()).toBe("");
    progress(warning);
    expect(read()).toMatch(/^warning: /);
  });
});

describe("progress on a terminal", () => {
  test("draws a line per stream and tenant over the last ones, cut to the width, and leaves nothing behind", () => {
    vi.useFakeTimers();
    try {
      const { progress, close, read, advance } = open({ isLive: true });
      progress(extracting(10));
      progress(extracting(20, "a tenant whose name is far too long for any terminal"));
      advance(1000);
      vi.advanceTimersByTime(100);
      const lines = read().trimEnd().split("\n");
      expect(lines[0]).toBe("shop.orders 414: 10 records, 10.0 kB, 10/s, 3 requests");
      expect(lines[1]).toHaveLength(59);
      vi.advanceTimersByTime(100);
      expect(read().startsWith("\u001b[2A\u001b[J")).toBe(true);
      close();
      expect(read()).toBe("\u001b[2A\u001b[J");
    } finally {
      vi.useRealTimers();
    }
  });

  test("counts what there is no room for", () => {
    vi.useFakeTimers();
    try {
      const { progress, read, close } = open({ isLive: true, rows: 5 });
      for (let tenant = 1; tenant <= 8; tenant++) progress(extracting(1, String(tenant)));
      vi.advanceTimersByTime(100);
      const lines = read().trimEnd().split("\n");
      expect(lines).toHaveLength(4);
      expect(lines.at(-1)).toBe("and 5 more");
      close();
    } finally {
      vi.useRealTimers();
    }
  });
});
