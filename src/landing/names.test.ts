import { expect, test } from "vitest";
import { toRunId, toTenantId } from "../model/ids.ts";
import {
  compressionOf,
  fileKey,
  headKey,
  intendedSeq,
  landingPrefix,
  logPrefix,
  manifestKey,
  manifestSeq,
  partName,
  quarantinePrefix,
  rawFileName,
} from "./names.ts";

const place = { source: "Partner", stream: "records", tenant: toTenantId("41") };

test("I13 no prefix of a tenant begins a key of another", () => {
  const longer = { ...place, tenant: toTenantId("414") };
  const file = { area: "landing", seq: 1, runId: toRunId("r"), name: partName(1, "zstd") } as const;
  for (const prefix of [landingPrefix(place), logPrefix(place), quarantinePrefix(place)]) {
    expect(prefix.endsWith("/")).toBe(true);
    for (const key of [manifestKey(longer, 1), headKey(longer), fileKey(longer, file)]) {
      expect(key.startsWith(prefix)).toBe(false);
    }
  }
});

test("a raw file keeps its ending where that is a plain one", () => {
  const names = ["2018.XLS", "a.csv.gz", "noending", "a.b c", "a.ünd", "../x.xls", "a.".padEnd(20, "x")];
  expect(names.map((name, index) => rawFileName(index + 1, name))).toEqual([
    "file-00001.xls",
    "file-00002.gz",
    "file-00003",
    "file-00004",
    "file-00005",
    "file-00006.xls",
    "file-00007",
  ]);
});

test("a key tells its seq and its compression, and sorts by seq", () => {
  const key = fileKey(place, {
    area: "quarantine",
    seq: 42,
    runId: toRunId("abc"),
    name: partName(3, "gzip"),
  });
  expect(key).toBe("quarantine/~50artner/records/tenant=41/seq=000000000042/run=abc/part-00003.ndjson.gz");
  expect([intendedSeq(key), compressionOf(key)]).toEqual([42, "gzip"]);
  expect([compressionOf("a.ndjson"), compressionOf("a.ndjson.zst")]).toEqual(["none", "zstd"]);
  expect(manifestSeq(manifestKey(place, 7))).toBe(7);
  expect(manifestSeq(headKey(place))).toBeUndefined();
  expect(intendedSeq(manifestKey(place, 7))).toBeUndefined();
  expect(manifestKey(place, 9) < manifestKey(place, 10)).toBe(true);
  expect(manifestKey(place, 999_999) < headKey(place)).toBe(true);
});
