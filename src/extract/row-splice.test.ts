import { describe, expect, test } from "vitest";
import { planRowPrefix, spliceRow, unspliceRow } from "./row-splice.ts";

const prefix = planRowPrefix({
  tenantColumn: 'ten"ant',
  tenant: "4~1é",
  seq: 7,
  extractedAt: "2026-01-10T00:00:00.000Z",
  partition: undefined,
});

function splice(record: string, rowNumber: number): Buffer {
  const bytes = Buffer.from(`..${record}..`);
  const target = Buffer.alloc(bytes.length + prefix.bytesMax);
  const end = spliceRow(target, 0, prefix, rowNumber, bytes, 2, bytes.length - 2);
  expect(end).toBeLessThanOrEqual(record.length + prefix.bytesMax);
  return target.subarray(0, end);
}

describe("leat's columns are put in front of a record", () => {
  test.each([
    "{}",
    "{ }",
    "{\t  }",
    '{"a":1}',
    '{  "a" : [1,  2] }',
    '{"é":"\\u0000","a":12345678901234567890.10}',
  ])("%s, and taken off again to the byte", (record) => {
    const row = splice(record, 12_345);
    expect(row.at(-1)).toBe(0x0a);
    expect(JSON.parse(row.toString())).toEqual({
      'ten"ant': "4~1é",
      _leat_package: 7,
      _leat_row: 12_345,
      _leat_extracted_at: "2026-01-10T00:00:00.000Z",
      ...(JSON.parse(record) as object),
    });
    const prefixEnd = row.indexOf('00.000Z"') + '00.000Z"'.length;
    const copy = Buffer.from(row);
    const start = unspliceRow(copy, prefixEnd);
    expect(copy.subarray(start, copy.length - 1).toString()).toBe(record);
  });

  test("with row numbers of any length", () => {
    for (const number of [0, 9, 10, 99_999, 2 ** 53 - 1]) {
      expect(JSON.parse(splice('{"a":1}', number).toString())).toMatchObject({ _leat_row: number });
    }
  });

  test("and a partition's value last", () => {
    const named = planRowPrefix({
      tenantColumn: "tenant_id",
      tenant: "414",
      seq: 1,
      extractedAt: "now",
      partition: { column: "place", value: 'a"b' },
    });
    const target = Buffer.alloc(500);
    const end = spliceRow(target, 0, named, 0, Buffer.from('{"x":1}'), 0, 7);
    expect(target.toString("utf8", 0, end)).toBe(
      '{"tenant_id":"414","_leat_package":1,"_leat_row":0,"_leat_extracted_at":"now","place":"a\\"b","x":1}\n',
    );
  });
});
