/** What an .xlsx holds: its sheets and parts, found by the relations that they state and not by the usual names. */
import { posix } from "node:path";
import type { LeatError } from "../../errors/leat-error.ts";
import { beginXml, XmlCursor } from "../xml/xml-cursor.ts";

/** Most sheets of a workbook; more are nobody's, and each costs memory. */
const sheetsMax = 10_000;

/** A sheet as the workbook lists it. */
export type ListedSheet = Readonly<{
  name: string;
  isHidden: boolean;
  /** Name of its part in the archive; `undefined`: a sheet of charts, dialogs or macros. */
  part: string | undefined;
}>;

export type PackageParts = Readonly<{
  sheets: readonly ListedSheet[];
  is1904: boolean;
  sharedStrings: string | undefined;
  styles: string | undefined;
}>;

/** How parts are found and faults told. */
export type PackageAccess = Readonly<{
  /** The archive's own name of a part, whatever its capitals and slashes; `undefined`: it is not there. */
  find(part: string): string | undefined;
  read(member: string): Buffer;
  damaged(problem: string): LeatError;
}>;

type Relation = Readonly<{ type: string; part: string }>;

/** Reads the workbook part and what it refers to. */
export function readPackage(access: PackageAccess): PackageParts {
  const roots = readRelations(access, "");
  const main = [...roots.values()].find(({ type }) => type === "officeDocument")?.part ?? "xl/workbook.xml";
  const member = access.find(main);
  if (member === undefined) throw access.damaged(`its main part "${main}" is missing`);
  const relations = readRelations(access, main);
  const partOf = (type: string): string | undefined => {
    const part = [...relations.values()].find((relation) => relation.type === type)?.part;
    return part === undefined ? undefined : access.find(part);
  };
  const bytes = access.read(member);
  const cursor = new XmlCursor(bytes, beginXml(bytes));
  const sheets: ListedSheet[] = [];
  let is1904 = false;
  while (cursor.next()) {
    if (cursor.isClose) continue;
    if (cursor.name === "workbookPr") is1904 = /^(1|true|on)$/.test(cursor.attribute("date1904") ?? "");
    if (cursor.name !== "sheet") continue;
    if (sheets.length >= sheetsMax) throw access.damaged(`it lists more than ${sheetsMax} sheets`);
    const name = cursor.attribute("name") ?? "";
    const relation = relations.get(cursor.attribute("id") ?? "");
    if (relation === undefined) throw access.damaged(`its sheet "${name}" has no part`);
    const part = relation.type === "worksheet" ? access.find(relation.part) : undefined;
    if (relation.type === "worksheet" && part === undefined) {
      throw access.damaged(`the part "${relation.part}" of its sheet "${name}" is missing`);
    }
    const state = cursor.attribute("state") ?? "visible";
    sheets.push({ name, isHidden: state !== "visible", part });
  }
  if (sheets.length === 0) throw access.damaged("it lists no sheets");
  return { sheets, is1904, sharedStrings: partOf("sharedStrings"), styles: partOf("styles") };
}

/** Relations of a part by their ids; of the archive itself for "". Types by their last word: strict and usual ones differ before it. */
function readRelations(access: PackageAccess, part: string): ReadonlyMap<string, Relation> {
  const folder = posix.dirname(part);
  const relations = new Map<string, Relation>();
  const member = access.find(posix.join(folder, "_rels", `${posix.basename(part)}.rels`));
  if (member === undefined) return relations;
  const bytes = access.read(member);
  const cursor = new XmlCursor(bytes, beginXml(bytes));
  while (cursor.next()) {
    if (cursor.name !== "Relationship" || cursor.isClose || cursor.attribute("TargetMode") === "External")
      continue;
    const target = cursor.attribute("Target") ?? "";
    const type = (cursor.attribute("Type") ?? "").split("/").at(-1)!;
    relations.set(cursor.attribute("Id") ?? "", {
      type,
      part: target.startsWith("/") ? target.slice(1) : posix.join(folder, target),
    });
  }
  return relations;
}
