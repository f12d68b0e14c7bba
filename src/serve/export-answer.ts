/** `/datasets/{name}/export`: all rows, or all that filters let through, in one answer. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type AnswerFormat, answerFormats, chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf, type StreamBody } from "./api-answer.ts";
import { type ApiAsk, codingOf } from "./api-ask.ts";
import { QueryReader } from "./api-parameter.ts";
import { fileCodings } from "./content-coding.ts";
import type { DatasetView } from "./dataset-view.ts";
import { answerFile } from "./file-answer.ts";
import { type AnswerTag, answerUnchanged, tagAnswer } from "./finish-answer.ts";
import { Problem, unknownName } from "./problem.ts";
import { parseQueryString } from "./query-string.ts";
import { tableFormats } from "./rows-answer.ts";
import { exportParameterNames, readSelection, type SelectionRequest } from "./rows-request.ts";
import type { ServeContext } from "./serve-context.ts";

/** Exports being printed at once; each costs a piece of 256 KiB and a place in the thread's turns. */
const printedMax = 100;
/** Longest printing of one export, ms: whoever reads slower holds a version that nobody else wants any more. */
const printedMsMax = 15 * 60_000;

export function answerExport(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
): ApiAnswer | Promise<ApiAnswer> {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), tableFormats);
  const tagged = tagAnswer(ask, context.apiTag, view.short, format);
  const unchanged = answerUnchanged(ask, tagged);
  if (unchanged !== undefined) return unchanged;
  const reader = new QueryReader(parseQueryString(ask.query));
  const wanted = readSelection(view, reader, exportParameterNames);
  const more = ["leat-version", view.short];
  if (ask.query === "") {
    const coding = codingOf(ask, fileCodings);
    const baked = view.exports.find(format, coding) ?? view.exports.find(format, undefined);
    if (baked !== undefined) return answerFile(ask, tagged, { ...baked, name: fileName(view, format) }, more);
  }
  return format === "parquet" || format === "arrow"
    ? answerEngineFile(context, view, ask, tagged, wanted, format, more)
    : answerPrinted(context, view, ask, tagged, wanted, format, more);
}

const fileName = (view: DatasetView, format: AnswerFormat): string =>
  `${plainName(view)}-${view.short}.${format}`;

/** A name that every disk and header takes. */
const plainName = ({ dataset }: DatasetView): string => dataset.replace(/[^A-Za-z0-9_-]/g, "_");

/** A file that the engine writes for this answer alone; it has no name any more once it is open. */
async function answerEngineFile(
  { engine, folder }: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  tagged: AnswerTag,
  { selection, columns }: SelectionRequest,
  format: "parquet" | "arrow",
  more: readonly string[],
): Promise<ApiAnswer> {
  const path = join(folder, `export-${randomUUID()}`);
  try {
    const names = columns.map(({ name }) => name);
    const query = { format, select: "rows", selection, columns: names, page: undefined } as const;
    await engine.writeFile(view.id, query, path, ask.request.signal);
    return await answerFile(ask, tagged, { path, coding: undefined, name: fileName(view, format) }, more);
  } finally {
    await rm(path, { force: true });
  }
}

/** Rows printed while they are sent; the version stays until the last of them. */
async function answerPrinted(
  { engine, folder, renderer, load }: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  tagged: AnswerTag,
  { selection, columns }: SelectionRequest,
  format: "json" | "ndjson" | "csv",
  more: readonly string[],
): Promise<ApiAnswer> {
  if (load.exports >= printedMax)
    throw new Problem("busy", { detail: `${printedMax} exports are being sent.`, retryAfterSeconds: 5 });
  load.exports++;
  const release = view.hold();
  const path = join(folder, `rows-${randomUUID()}`);
  const isAll = selection.filters.length === 0 && selection.sort.length === 0;
  const end = (): void => {
    load.exports--;
    release();
    if (!isAll) void rm(path, { force: true }).catch(() => {}); // One that was never begun has deleted nothing.
  };
  try {
    if (!isAll) await engine.writeRowNumbers(view.id, selection, path, ask.request.signal);
    const names = columns.map(({ name }) => name);
    const job = { id: view.id, format, columns: names, source: isAll ? ("all" as const) : { path } };
    const headers = [
      "content-type",
      answerFormats[format].contentType,
      "etag",
      `"${tagged.tag}"`,
      "cache-control",
      tagged.cacheControl,
      "vary",
      tagged.vary,
      "content-disposition",
      `attachment; filename="${fileName(view, format)}"`,
      ...more,
    ];
    return { status: 200, headers, body: endAfter(renderer.print(job), end) };
  } catch (error) {
    end();
    throw error;
  }
}

/** The pieces, and `end` when they are over, whoever ends them; no longer than a bound. */
function endAfter(pieces: AsyncGenerator<Uint8Array, void, void>, end: () => void): StreamBody {
  const deadline = performance.now() + printedMsMax;
  let isEnded = false;
  const finish = (): void => {
    if (!isEnded) end();
    isEnded = true;
  };
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      if (performance.now() > deadline) {
        await iterator.return?.();
        throw new Problem("busy", { detail: "The export was read too slowly." });
      }
      try {
        const step = await pieces.next();
        if (step.done === true) finish();
        return step.done === true ? { done: true, value: undefined } : step;
      } catch (error) {
        finish();
        throw error;
      }
    },
    async return() {
      try {
        await pieces.return();
      } finally {
        finish();
      }
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** `/datasets/{name}/parts/part-00001.parquet`: the published files, for engines that read parts of them. */
export async function answerPart(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
  name: string,
): Promise<ApiAnswer> {
  const names = view.partPaths.map((_, at) => partName(at));
  const at = ask.ending === "parquet" ? names.indexOf(name) : -1;
  const path = view.partPaths[at];
  if (path === undefined)
    throw unknownName(
      "unknown-path",
      "part",
      `${name}.${ask.ending ?? ""}`,
      names.map((each) => `${each}.parquet`),
    );
  new QueryReader(parseQueryString(ask.query)).end([]);
  const tagged = tagAnswer(ask, context.apiTag, view.short, "parquet");
  return (
    answerUnchanged(ask, tagged) ??
    (await answerFile(
      ask,
      tagged,
      { path, coding: undefined, name: `${plainName(view)}-${names[at]}.parquet` },
      [],
    ))
  );
}

/** What a part is called in addresses. */
export const partName = (at: number): string => `part-${String(at + 1).padStart(5, "0")}`;
