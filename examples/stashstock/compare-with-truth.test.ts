import { expect, test } from "vitest";
import { compareWithTruth } from "./compare-with-truth.ts";
import type { TruePlant } from "./partner/partner.ts";

const plant: TruePlant = {
  license: "CA-1",
  fields: {
    Id: 9_007_199_254_740_993n,
    Label: "A1",
    HarvestedWetWeight: { decimal: "1.10" },
    IsOnHold: false,
    FloweringDate: null,
    LastModified: "0001-01-01T00:00:00+00:00",
  },
};
const truth = new Map([["A1", plant]]);
const row = {
  tenant_id: "414",
  license_number: "CA-1",
  id: "9007199254740993",
  label: "A1",
  harvestedWetWeight: "1.1",
  isOnHold: false,
  floweringDate: null,
  lastModified: "0001-01-01 00:00:00+00",
};
const faults: readonly [string, object][] = [
  ["an id that went through a double", { id: 9007199254740992 }],
  ["another weight", { harvestedWetWeight: "1.2" }],
  ["another second", { lastModified: "0001-01-01 00:00:01+00" }],
  ["a time without its zone", { lastModified: "0001-01-01 00:00:00" }],
  ["null for false", { isOnHold: null }],
  ["a value for null", { floweringDate: "2026-01-01" }],
  ["a missing column", { floweringDate: undefined }],
  ["another license", { license_number: "CA-2" }],
];

test("equal values are equal whatever their form", () => {
  expect(compareWithTruth([row], truth)).toMatchObject({ equal: 1, values: 7, isEqual: true });
});

test.each(faults)("%s is a difference", (_what, fault) => {
  const { isEqual, equal, differences } = compareWithTruth([{ ...row, ...fault }], truth);
  expect({ isEqual, equal, differences: differences.length }).toEqual({
    isEqual: false,
    equal: 0,
    differences: 1,
  });
});

test("a row too many, twice or too few is found", () => {
  expect(compareWithTruth([row, row], truth)).toMatchObject({ surplus: ["A1"], isEqual: false });
  expect(compareWithTruth([row, { ...row, label: "B" }], truth)).toMatchObject({
    surplus: ["B"],
    isEqual: false,
  });
  expect(compareWithTruth([], truth)).toMatchObject({ missing: ["A1"], isEqual: false });
});
