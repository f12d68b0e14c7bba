/** One job in the reading process: bytes of a file → rows on the disk and a report. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { LayoutReport, TidyJob, TidyResult } from "../../ports/tidy.ts";
import { fileKindOf, notWhatItSays, readHead } from "../file-kind.ts";
import { readTidyFile } from "../read-tidy-file.ts";
import { matchMember } from "../zip/match-member.ts";
import { ZipArchive } from "../zip/zip-archive.ts";
import { memberPath, RowWriter } from "./row-writer.ts";

/**
 * Reads a file, or each member of an archive that fits the declaration's `members`.
 *
 * @throws LeatError; nothing is left at `rowsPath` then.
 */
export async function runJob(job: TidyJob): Promise<TidyResult> {
  const { declaration } = job;
  const rows = new RowWriter(job.rowsPath, declaration.columns);
  try {
    const members = declaration.options["members"];
    const report =
      typeof members === "string"
        ? await readMembers(job, members, rows)
        : await readTidyFile(job, declaration, rows.write);
    rows.finish();
    return { rowCount: rows.rowCount, report };
  } catch (error) {
    rows.discard();
    throw error;
  }
}

async function readMembers(job: TidyJob, pattern: string, rows: RowWriter): Promise<LayoutReport> {
  const head = readHead(job.path, job.name);
  const kind = fileKindOf(head);
  if (kind !== "zip") throw notWhatItSays(job.name, kind, "a .zip archive", head);
  using archive = await ZipArchive.open(job.path, job.name);
  const names = [...archive.members.keys()];
  const fits = matchMember(pattern);
  // In the order of their names, which a repacked archive keeps; lock files and the marks of a Mac are nobody's data.
  const chosen = names.filter((name) => fits(name) && !/(^|\/)(~\$|\._|__MACOSX\/)/.test(name)).sort();
  if (chosen.length === 0) {
    throw new LeatError("FILE_MEMBER_MISSING", {
      message: `${job.name}: None of its ${names.length} members fits "${pattern}".`,
      hint: hintOfKnown(pattern, "members", names),
      details: { file: job.name, pattern, members: names.slice(0, 100) },
    });
  }
  const reports: [string, LayoutReport][] = [];
  const path = memberPath(job.rowsPath);
  try {
    for (const member of chosen) {
      await unpack(archive, member, path);
      const file = { path, name: `${job.name}/${member}`, fields: job.fields };
      reports.push([member, await readTidyFile(file, job.declaration, rows.write)]);
    }
  } finally {
    rmSync(path, { force: true });
  }
  return { members: Object.fromEntries(reports) };
}

async function unpack(archive: ZipArchive, member: string, path: string): Promise<void> {
  const fd = openSync(path, "w");
  try {
    for await (const chunk of archive.stream(member)) writeSync(fd, chunk);
  } finally {
    closeSync(fd);
  }
}
