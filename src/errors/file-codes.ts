/** Codes of files that are read: of any kind, and of workbooks. A part of the catalogue in `codes.ts`. */

export const fileCodes = {
  FILE_UNREADABLE: {
    meaning: "A file cannot be opened or read on this machine.",
    hint: "Check that it is there and may be read.",
    retryable: true,
  },
  FILE_NOT_WHAT_IT_SAYS: {
    meaning: "The file's bytes are not what its name or declaration says.",
    hint: "Open it and look: an error page or a lock file is often saved under the name of a workbook.",
    retryable: false,
  },
  FILE_DAMAGED: {
    meaning: "The file is cut off or damaged.",
    hint: "Fetch it again; if it stays so, tell its publisher.",
    retryable: false,
  },
  FILE_ENCODING: {
    meaning: "The file's text is not in the encoding that was declared or found.",
    hint: 'Declare the encoding, e.g. `encoding: "windows-1252"`.',
    retryable: false,
  },
  FILE_TOO_LARGE: {
    meaning: "The file, or something in it, is beyond a bound of the reader.",
    hint: "Raise the option named, or split the file.",
    retryable: false,
  },
  FILE_COLUMN_MISSING: {
    meaning: "A declared column is not in the file, or is there twice.",
    hint: "Compare the declaration's `columns` with the names listed.",
    retryable: false,
  },
  FILE_ROW_INVALID: {
    meaning: "A row of the file does not have the form of the others.",
    hint: "Look at the row named; a file with titles and notes is read by `workbook(...)`.",
    retryable: false,
  },
  FILE_MEMBER_MISSING: {
    meaning: "No member of the archive fits the declared pattern.",
    hint: "Compare `members` with the members listed.",
    retryable: false,
  },
  FILE_NEEDS_MEMORY: {
    meaning: "Reading the file took more memory than allowed; the reading process was ended.",
    hint: "Raise `memoryBytesMax` of the reader, or save the file as .xlsx or .csv, which are read in a stream.",
    retryable: false,
  },
  FILE_NEEDS_TIME: {
    meaning: "Reading the file took longer than allowed; the reading process was ended.",
    hint: "Raise `timeoutMs` of the reader, or split the file.",
    retryable: true,
  },
  FILE_READER_DIED: {
    meaning: "The process that read the file ended without an answer.",
    hint: "Try again; if it happens with the same file again, report it with the file.",
    retryable: true,
  },
  WORKBOOK_ENCRYPTED: {
    meaning: "The workbook or archive is protected by a password.",
    hint: "Save it without a password, or ask its publisher for such a copy.",
    retryable: false,
  },
  WORKBOOK_DAMAGED: {
    meaning: "The workbook is cut off, damaged, or not as its format says.",
    hint: "Fetch it again; if a spreadsheet program still opens it, save it there as a new .xlsx.",
    retryable: false,
  },
  WORKBOOK_BOMB: {
    meaning: "The file unpacks to far more than a file of its size holds; it was not unpacked.",
    hint: "Look where it comes from. If it is right, unpack it and save it anew.",
    retryable: false,
  },
  WORKBOOK_SHEET_MISSING: {
    meaning: "No sheet of the workbook is the one looked for.",
    hint: "Compare `sheets` of the declaration with the sheets listed.",
    retryable: false,
  },
  WORKBOOK_TABLE_MISSING: {
    meaning: "The sheet holds no table of the declared form, or the table has no rows.",
    hint: "Look at the sheet: is it the table that was declared? Then declare its headers as they are now.",
    retryable: false,
  },
  WORKBOOK_COLUMN_MISSING: {
    meaning: "A declared column is not in the table.",
    hint: "Add the header as it is now to the column, or declare it `optional: true`.",
    retryable: false,
  },
  WORKBOOK_AMBIGUOUS: {
    meaning: "Several sheets, tables or columns fit the declaration equally well.",
    hint: "Say in the declaration which of them is meant.",
    retryable: false,
  },
  WORKBOOK_HEADINGS_UNCLEAR: {
    meaning:
      "The headings above the figures cannot be read without guessing: a gap, a double, a blank, no year.",
    hint: "Look at the row named and say in the declaration what its headings mean.",
    retryable: false,
  },
  WORKBOOK_CELL_INVALID: {
    meaning: "A cell does not hold what its column is declared to hold.",
    hint: 'Say what it means with `symbols`, or leave such cells out with `unreadable: "reject"`.',
    retryable: false,
  },
  WORKBOOK_FIELD_MISSING: {
    meaning: "A field such as {year} is not known for this file.",
    hint: "Let the source tell it, or find it with `fields` or a named group of `sheets`.",
    retryable: false,
  },
} as const;
