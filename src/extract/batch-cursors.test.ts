import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchCursors } from "./batch-cursors.ts";

const anyValue = fc.oneof(
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
);

test("values come out as they went in, whatever their size", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(anyValue, { nil: undefined }), { maxLength: 20 }),
      anyValue,
      (values, floor) => {
        const cursors = new BatchCursors();
        cursors.begin(3);
        cursors.set(1, 7);
        cursors.begin(values.length); // What the batch before had is gone.
        for (const [i, value] of values.entries()) if (value !== undefined) cursors.set(i, value);
        for (const [i, value] of values.entries()) {
          expect(cursors.has(i)).toBe(value !== undefined);
          expect(cursors.get(i)).toBe(value === undefined ? undefined : BigInt(value));
          expect(cursors.isBelow(i, BigInt(floor))).toBe(
            value !== undefined && BigInt(value) < BigInt(floor),
          );
          expect(cursors.isBelow(i, undefined)).toBe(false);
        }
      },
    ),
  );
});
