/** Records of a text file with delimiters, as they stand: ragged ones and blank lines too. */
import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { LeatError } from "../../errors/leat-error.ts";
import type { TextForm } from "../../model/text-form.ts";
import { decodeFile } from "../text/decode-file.ts";
import { findDelimiter } from "./find-delimiter.ts";

/** Longest record, in bytes. One that is longer begins with a quote that nobody closed. */
const recordBytesMax = 16 * 2 ** 20;
/** Text looked at to find the delimiter, in characters. */
const sampleLength = 64 * 1024;
/** Records handed over at once. */
const batchRecords = 1024;

/** A record and the line that it begins on, 1-based. */
export type CsvRecord = Readonly<{ fields: readonly string[]; line: number }>;

/**
 * Reads a file's records in order, some hundred at a time. A blank line is a record of one empty field.
 *
 * @throws LeatError `FILE_ROW_INVALID` where quotes are wrong, `FILE_ENCODING`, `FILE_UNREADABLE`.
 */
export async function* readRecords(
  path: string,
  name: string,
  form: TextForm,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  const text = decodeFile(path, name, form.encoding);
  const { sample, isWhole } = await readSample(text);
  if (sample === "") return;
  let line = 1; // Of the record that is read now: the parser is ahead of the loop below when it fails.
  const begins: number[] = []; // Lines of the records between the two, some dozen.
  const quote = form.quote === undefined ? '"' : form.quote;
  const parser = parse({
    delimiter: form.delimiter ?? findDelimiter(sample, isWhole),
    quote,
    escape: quote,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    max_record_size: recordBytesMax,
    on_record: (fields, { lines }) => {
      begins.push(line);
      line = lines + 1;
      return fields;
    },
  });
  pipeline(Readable.from(concatenate(sample, text)), parser, () => {}); // Failures reach the loop below.
  let batch: CsvRecord[] = [];
  try {
    for await (const fields of parser as AsyncIterable<string[]>) {
      batch.push({ fields, line: begins.shift()! });
      if (batch.length < batchRecords) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new LeatError("FILE_ROW_INVALID", {
      message: `${name}, line ${line}: ${explain(error)}.`,
      hint: "Look at the line named. If the file does not quote fields, declare `quote: null`.",
      details: { file: name, line, reason: error.code },
      cause: error,
    });
  }
  if (batch.length > 0) yield batch;
}

function explain(error: CsvError): string {
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return "A quoted field begins and does not end";
    case "CSV_INVALID_CLOSING_QUOTE":
      return "Something follows a field's closing quote";
    case "INVALID_OPENING_QUOTE":
      return "A quote stands in the middle of a field that is not quoted";
    case "CSV_MAX_RECORD_SIZE":
      return `A record is longer than ${recordBytesMax} bytes: a quote was opened and not closed`;
    default:
      return error.message.replace(/\.$/, "");
  }
}

async function readSample(text: AsyncGenerator<string>): Promise<{ sample: string; isWhole: boolean }> {
  let sample = "";
  while (sample.length < sampleLength) {
    const { value, done } = await text.next();
    if (done === true) return { sample, isWhole: true };
    sample += value;
  }
  return { sample, isWhole: false };
}

async function* concatenate(first: string, rest: AsyncIterable<string>): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  for await (const piece of rest) yield Buffer.from(piece);
}
