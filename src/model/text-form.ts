/** How a text file with delimiters is written, as far as it does not say so itself. */

/** Encodings that may be declared. Without a declaration: UTF-8, or UTF-16 with its mark. */
export const textEncodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
export type TextEncoding = (typeof textEncodings)[number];

export type TextForm = Readonly<{
  /** One character between fields. Default: found among tab, semicolon, bar and comma. */
  delimiter?: string | undefined;
  /** Default: UTF-8, or UTF-16 where the file has its mark. Never guessed. */
  encoding?: TextEncoding | undefined;
  /** Character around fields, `"` by default; `null`: quotes are text. */
  quote?: string | null | undefined;
}>;
