/** Opens a spreadsheet of any kind that is read here, told by its bytes and not by its name. */

import type { TextForm } from "../model/text-form.ts";
import type { Workbook } from "../workbook/sheet.ts";
import { fileKindOf, notWhatItSays, readHead } from "./file-kind.ts";

/**
 * Opens a file as a workbook: .xlsx, .xlsm, .xls, .csv, .tsv.
 *
 * A workbook under another workbook's name is read as what it is; text is only read under the name of text, since an
 * .xls that is text is a page, a message, or a file that went wrong on its way.
 *
 * @param name - what people call the file, for messages; its ending counts for text.
 * @param form - how text files are written; workbooks say so themselves.
 * @throws LeatError `FILE_NOT_WHAT_IT_SAYS` and what the kind's reader throws.
 */
export async function openWorkbook(path: string, name: string, form: TextForm = {}): Promise<Workbook> {
  const head = readHead(path, name);
  const kind = fileKindOf(head);
  // Each reader is loaded when it is needed: together they take longer than a small file.
  if (kind === "zip") return (await import("./xlsx/open-xlsx.ts")).openXlsx(path, name);
  if (kind === "compound" || kind === "biff") return (await import("./xls/open-xls.ts")).openXls(path, name);
  if (kind === "text" && /\.(csv|tsv|tab|txt)$/i.test(name)) {
    const delimiter = form.delimiter ?? (/\.(tsv|tab)$/i.test(name) ? "\t" : undefined);
    return (await import("./csv/open-csv.ts")).openCsv(path, name, { ...form, delimiter });
  }
  throw notWhatItSays(name, kind, /\.(csv|tsv|tab|txt)$/i.test(name) ? "a text file" : "a workbook", head);
}
