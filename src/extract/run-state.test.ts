import { describe, expect, test } from "vitest";
import { Boundary } from "./boundary.ts";
import { decodeState, encodeState, freshPartition, freshState, summarizePartitions } from "./run-state.ts";

const partitions = new Map([
  ["north\n\ud800", { number: 0, state: { cursor: 2n ** 80n, scannedTo: -4n, next: 3n, since: undefined } }],
  ["", { number: 1, state: freshPartition }],
]);

describe("a state", () => {
  test("I8 is the same after it was stored, whatever partitions are called", () => {
    const boundary = new Boundary();
    boundary.set(Buffer.alloc(16, 10), {
      content: Buffer.alloc(16, 0x0a), // Bytes that look like line ends.
      cursor: 10n,
      partition: 1,
      count: 1,
      isOwn: false,
    });
    const again = decodeState(encodeState({ partitions, boundary }), "a test");
    expect(again.partitions).toEqual(partitions);
    expect([...again.boundary]).toEqual([...boundary]);
    expect(decodeState(encodeState(freshState()), "a test").partitions.size).toBe(0);
  });

  test("that is cut off, of another format, or no state at all is refused by name", () => {
    const whole = encodeState({ partitions, boundary: new Boundary() });
    const damaged = [
      whole.subarray(0, whole.length - 3),
      whole.subarray(0, 5),
      Buffer.concat([whole, Buffer.from("x")]),
      Buffer.from('{"format":2,"partitions":0}\n'),
      Buffer.from("hello"),
      Buffer.alloc(0),
    ];
    for (const bytes of damaged) {
      expect(() => decodeState(bytes, "state-00001.leat")).toThrow(
        expect.objectContaining({
          code: "MANIFEST_INVALID",
          message: expect.stringContaining("state-00001.leat"),
        }),
      );
    }
  });

  test("is shown to people as the least next and the greatest cursor", () => {
    const summary = summarizePartitions({ partitions, boundary: new Boundary() });
    expect(summary).toEqual({ cursor: 2n ** 80n, scannedTo: undefined, next: undefined, since: undefined });
    expect(summarizePartitions(freshState())).toEqual(freshPartition);
  });
});
