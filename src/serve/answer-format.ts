/** Formats of answers: their media types and endings, and which one a request wants. */
import { Problem } from "./problem.ts";

/** A format of an answer. */
export type AnswerFormat = "json" | "ndjson" | "csv" | "parquet" | "arrow";

/** What a format is called where. */
export type FormatFacts = Readonly<{ mediaType: string; contentType: string; aliases: readonly string[] }>;

export const answerFormats: Readonly<Record<AnswerFormat, FormatFacts>> = {
  json: {
    mediaType: "application/json",
    contentType: "application/json; charset=utf-8",
    aliases: ["text/json"],
  },
  ndjson: {
    mediaType: "application/x-ndjson",
    contentType: "application/x-ndjson; charset=utf-8",
    aliases: ["application/ndjson", "application/jsonl", "application/x-jsonlines"],
  },
  csv: {
    mediaType: "text/csv",
    contentType: "text/csv; charset=utf-8; header=present",
    aliases: ["application/csv"],
  },
  parquet: {
    mediaType: "application/vnd.apache.parquet",
    contentType: "application/vnd.apache.parquet",
    aliases: ["application/x-parquet", "application/parquet"],
  },
  arrow: {
    mediaType: "application/vnd.apache.arrow.file",
    contentType: "application/vnd.apache.arrow.file",
    aliases: ["application/vnd.apache.arrow"],
  },
};

const formatNames = Object.keys(answerFormats) as readonly AnswerFormat[]; // The keys of the table above.

/** `name.csv` → `name`, `csv`. An ending that is no format's stays part of the name. */
export function splitEnding(segment: string): Readonly<{ name: string; format: AnswerFormat | undefined }> {
  const dot = segment.lastIndexOf(".");
  const ending = segment.slice(dot + 1);
  const format = dot > 0 ? formatNames.find((each) => each === ending) : undefined;
  return format === undefined ? { name: segment, format } : { name: segment.slice(0, dot), format };
}

/** Longest Accept header that is looked at, characters; browsers send some 130. */
const acceptLengthMax = 1000;

/**
 * Chooses the format: the address's ending first, else what the Accept header likes best of what is offered.
 *
 * @param offered - the first one is given where anything is welcome.
 */
export function chooseFormat(
  ending: AnswerFormat | undefined,
  accept: string | undefined,
  offered: readonly AnswerFormat[],
): AnswerFormat {
  const [first] = offered;
  if (first === undefined) throw new Error("something is offered");
  if (ending !== undefined) {
    if (offered.includes(ending)) return ending;
    throw new Problem("unknown-format", {
      detail: `This address has no form that ends in .${ending}.`,
      value: ending,
      allowed: offered,
    });
  }
  if (accept === undefined || accept === "*/*" || accept === "") return first;
  const wanted = parseAccept(accept.slice(0, acceptLengthMax));
  let best: AnswerFormat | undefined;
  let bestQuality = 0;
  for (const format of offered) {
    const quality = qualityOf(format, wanted);
    if (quality > bestQuality) [best, bestQuality] = [format, quality];
  }
  if (best !== undefined) return best;
  throw new Problem("not-acceptable", {
    detail: "None of the formats in the Accept header is offered here.",
    parameter: "Accept",
    value: accept,
    allowed: offered.map((format) => answerFormats[format].mediaType),
  });
}

type Preference = Readonly<{ range: string; quality: number }>;

function parseAccept(accept: string): readonly Preference[] {
  return accept.split(",").map((part) => {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const stated = parameters.find((parameter) => parameter.startsWith("q="));
    const quality = stated === undefined ? 1 : Number(stated.slice(2));
    return { range, quality: Number.isFinite(quality) ? quality : 0 };
  });
}

/** The quality of the most specific range that fits. */
function qualityOf(format: AnswerFormat, wanted: readonly Preference[]): number {
  const { mediaType, aliases } = answerFormats[format];
  const fits = (test: (range: string) => boolean): number | undefined =>
    wanted.find(({ range }) => test(range))?.quality;
  return (
    fits((range) => range === mediaType || aliases.includes(range)) ??
    fits((range) => range === `${mediaType.split("/")[0]}/*`) ??
    fits((range) => range === "*/*") ??
    0
  );
}
