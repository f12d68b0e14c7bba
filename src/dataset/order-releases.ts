/** Which files a dataset is made of, and in which order they were released. Pure. */
import { LeatError } from "../errors/leat-error.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { DatasetInput, FileFilter, ReleaseOrder } from "../ports/dataset.ts";

type FilesInput = Extract<DatasetInput, { kind: "files" }>;

/** Names told of files that were left out. */
const namesToldMax = 10;

/**
 * Chooses and orders the files, the oldest release first. Of equal releases the one that was landed later is the later.
 *
 * @throws LeatError `INPUT_EMPTY` when no file is left; `RELEASE_UNKNOWN` naming the file whose place cannot be read.
 */
export function orderReleases(
  dataset: string,
  input: FilesInput,
  files: readonly LandedFile[],
): readonly LandedFile[] {
  const chosen = files.filter((file) => isChosen(file, input.files));
  if (chosen.length === 0) throw nothingLeft(dataset, input, files);
  const ranked = chosen.map((file) => ({ file, rank: rankOf(dataset, file, input.release) }));
  return ranked
    .sort((a, b) => compareRanks(a.rank, b.rank) || compareLanding(a.file, b.file))
    .map(({ file }) => file);
}

/** Whether a file meets all conditions; a field that it has not meets none. */
function isChosen(file: LandedFile, { conditions }: FileFilter): boolean {
  return conditions.every(({ field, pattern }) => {
    const value = field === "name" ? file.name : file.fields[field];
    return value !== undefined && pattern.test(value);
  });
}

function nothingLeft(dataset: string, input: FilesInput, files: readonly LandedFile[]): LeatError {
  const { stream } = input;
  if (files.length === 0) {
    return new LeatError("INPUT_EMPTY", {
      message: `The dataset ${dataset} is made of the files of ${stream}, of which none is landed.`,
      hint: `Run \`leat sync ${stream}\`, and look whether it finds any.`,
      details: { dataset, stream },
    });
  }
  const wanted = input.files.conditions.map(({ field, shown }) => `${field} ${shown}`).join(", ");
  const names = files.slice(0, namesToldMax).map(({ name }) => name);
  const more = files.length > names.length ? `, and ${files.length - names.length} more` : "";
  return new LeatError("INPUT_EMPTY", {
    message: `The dataset ${dataset} takes files of ${stream} with ${wanted}, and none of the ${files.length} landed files fits.`,
    hint: `Landed are ${names.join(", ")}${more}: widen \`files\`.`,
    details: { dataset, stream, names },
  });
}

type Rank = readonly string[];

function rankOf(dataset: string, file: LandedFile, order: ReleaseOrder): Rank {
  const refuse = (what: string): LeatError =>
    new LeatError("RELEASE_UNKNOWN", {
      message: `The dataset ${dataset} orders its files by ${what}, which the file ${file.name} (${file.id}) has not.`,
      details: { dataset, file: file.id },
    });
  switch (order.by) {
    case "landed":
      return [];
    case "modified":
      if (file.lastModified === undefined) throw refuse("Last-Modified");
      return [file.lastModified];
    case "fields":
      return order.fields.map((field) => {
        const value = file.fields[field];
        if (value === undefined) throw refuse(`the field ${field}`);
        return value;
      });
    case "name": {
      const groups = order.pattern.exec(file.name)?.groups;
      if (groups === undefined) throw refuse(`${order.shown} in the name`);
      return order.groups.map((name) => toOrdinal(name, groups[name] ?? ""));
    }
  }
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** English names of months as numbers; anything else as it is. */
function toOrdinal(group: string, value: string): string {
  const month = group === "month" ? months.indexOf(value.slice(0, 3).toLowerCase()) : -1;
  return month < 0 ? value : String(month + 1);
}

/** Numbers by value, everything else as text; a number before a text. */
function compareRanks(a: Rank, b: Rank): number {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? "";
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    const difference = isNumber ? compareValues(BigInt(one), BigInt(other)) : compareValues(one, other);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareValues<Value extends bigint | number | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Tenants' logs are apart from each other; within one, seq and row are the order of landing. */
function compareLanding(a: LandedFile, b: LandedFile): number {
  return (
    compareValues(a.tenant, b.tenant) ||
    compareValues(a.seq, b.seq) ||
    compareValues(a.row, b.row) ||
    compareValues(a.name, b.name)
  );
}
