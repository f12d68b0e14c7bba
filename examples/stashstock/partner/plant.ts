/** A plant as the partner's API shows it: fields and order of the documented answers, data of our own invention. */
import type { Draw } from "./draw.ts";

/** A number with its digits: `1.10` is sent as `1.10`, which a JavaScript number cannot do. */
export type Decimal = Readonly<{ decimal: string }>;

/** What a field may hold. Whole numbers beyond 2^53 are bigints, fractions are {@link Decimal}. */
export type Scalar = null | boolean | string | number | bigint | Decimal;

/** One version of a plant, under the documented names (PascalCase), in the documented order. */
export type PlantFields = Readonly<Record<string, Scalar>>;

export type GrowthPhase = "Vegetative" | "Flowering";

/** `PascalCase`: the documented v1 and v2 answers. `camelCase`: the main stream. */
export type Casing = "PascalCase" | "camelCase";

/** Printed instead of a time for plants that came from an older system, as in the documented answers. */
export const neverModified = "0001-01-01T00:00:00+00:00";

const strains = ["Spring Hill Kush", 'Blue "Dream" №5', "Açaí Gelato", "Northern Lights\u2028#2", "OG 18"];
const locations = ["Plants Location", "Room A", "Room B", "Greenhouse / North", "Drying Room"];
const destroyedNotes = ["Mould", 'Failed test: "pesticide"', "Spider mites 🕷", "Broken stem"];

/** Draws a young plant. */
export function sowPlant(draw: Draw, id: bigint, label: string, plantedAtMs: number): PlantFields {
  const batch = draw.below(40) + 1;
  const strain = draw.below(strains.length);
  const location = draw.below(locations.length);
  return {
    Id: id,
    Label: label,
    State: "Tracked",
    GrowthPhase: "Vegetative",
    GroupTagTypeMax: 0,
    TagTypeMax: 0,
    PlantBatchId: batch,
    PlantBatchName: `Batch ${batch}`,
    PlantBatchTypeId: (batch % 2) + 1,
    PlantBatchTypeName: batch % 2 === 0 ? "Seed" : "Clone",
    StrainId: strain + 1,
    StrainName: strains[strain]!,
    LocationId: location + 1,
    LocationName: locations[location]!,
    LocationTypeName: null,
    PatientLicenseNumber: null,
    HarvestId: null,
    HarvestedUnitOfWeightName: null,
    HarvestedUnitOfWeightAbbreviation: null,
    HarvestedWetWeight: null,
    HarvestCount: 0,
    IsOnHold: false,
    IsOnTrip: false,
    PlantedDate: toDate(plantedAtMs),
    VegetativeDate: toDate(plantedAtMs),
    FloweringDate: null,
    HarvestedDate: null,
    DestroyedDate: null,
    DestroyedNote: null,
    DestroyedByUserName: null,
    LastModified: neverModified,
  };
}

/** Draws what happens next in a plant's life; the answer differs from the plant in at least one field. */
export function tendPlant(draw: Draw, plant: PlantFields, atMs: number): PlantFields {
  const isInactive = plant["State"] !== "Tracked";
  const turn = draw.below(100);
  if (isInactive || turn < 45) return movePlant(draw, plant);
  if (turn < 60) return { ...plant, IsOnHold: plant["IsOnHold"] !== true };
  if (turn < 66) {
    const note = destroyedNotes[draw.below(destroyedNotes.length)]!;
    const by = `user${draw.below(9) + 1}`;
    return {
      ...plant,
      State: "Destroyed",
      DestroyedDate: toDate(atMs),
      DestroyedNote: note,
      DestroyedByUserName: by,
    };
  }
  if (plant["GrowthPhase"] === "Vegetative") {
    return { ...plant, GrowthPhase: "Flowering", FloweringDate: toDate(atMs) };
  }
  return {
    ...plant,
    State: "Harvested",
    HarvestId: draw.below(900) + 1,
    HarvestedUnitOfWeightName: "Ounces",
    HarvestedUnitOfWeightAbbreviation: "oz",
    // 19 digits in one of four, so that a warehouse that reads numbers as doubles is found out.
    HarvestedWetWeight: {
      decimal: draw.below(4) === 0 ? `12345678901234567.${cents(draw)}` : `${draw.below(40)}.${cents(draw)}`,
    },
    HarvestCount: 1,
    HarvestedDate: toDate(atMs),
  };
}

function movePlant(draw: Draw, plant: PlantFields): PlantFields {
  const here = Number(plant["LocationId"]) - 1;
  const there = (here + 1 + draw.below(locations.length - 1)) % locations.length;
  return { ...plant, LocationId: there + 1, LocationName: locations[there]! };
}

/** A plant's text as it is sent. */
export function renderPlant(plant: PlantFields, casing: Casing): string {
  const members = Object.entries(plant).map(
    ([name, value]) => `${JSON.stringify(nameAs(name, casing))}:${renderScalar(value)}`,
  );
  return `{${members.join(",")}}`;
}

/** The documented name of a field in the given casing. */
export const nameAs = (name: string, casing: Casing): string =>
  casing === "PascalCase" ? name : name[0]!.toLowerCase() + name.slice(1);

/** A value as JSON, its digits kept. */
export function renderScalar(value: Scalar): string {
  if (typeof value === "bigint") return value.toString();
  if (value !== null && typeof value === "object") return value.decimal;
  return JSON.stringify(value);
}

/** `2026-11-20T17:05:12+00:00`: whole seconds, as documented, so that many plants share one. */
export const toLastModified = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}+00:00`;

const toDate = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const cents = (draw: Draw): string => `${draw.below(10)}0`;
