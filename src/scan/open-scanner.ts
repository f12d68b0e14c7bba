/** Opens the scanner that all stages use: the plain one, with a fast reader of rows where the machine has one. */
import { ByteScanner } from "./byte-scanner.ts";
import type { OpenScanner } from "./record-batch.ts";
import { limitsOf } from "./scan-limits.ts";
import { openWasmRowReader } from "./wasm/wasm-row-reader.ts";

/** The scanner in TypeScript alone: the reference for what any other must give. */
export const openPlainScanner: OpenScanner = (options) => new ByteScanner(options);

/** Opens a scanner. One serves one answer after the other (`restart`). */
export const openScanner: OpenScanner = (options) =>
  new ByteScanner(
    options,
    openWasmRowReader({
      ...limitsOf(options),
      fieldCount: options.fields.length,
      isLines: options.selector.form === "lines",
    }),
  );
