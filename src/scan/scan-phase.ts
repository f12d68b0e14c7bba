/** What comes next in the document. */
export type ScanPhase =
  | "start" // The first bytes, where a byte order mark may be.
  | "envelope"
  | "firstRecord" // A record or `]`.
  | "record"
  | "single" // The document's or place's only record.
  | "afterRecord" // A comma or `]`.
  | "line" // JSON Lines: a record or a blank line,
  | "afterLine"; // and what is left of its line.
