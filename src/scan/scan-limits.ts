/** Bounds of a scanner, filled in where its options leave them out. */
import type { ScanOptions } from "./record-batch.ts";

export type ScanLimits = Readonly<{
  depthMax: number;
  recordBytesMax: number;
  envelopeBytesMax: number;
  /** How much of a record that is too large is kept, to show what it was. */
  keptBytesMax: number;
}>;

const keptBytesMax = 64 * 1024;

export function limitsOf(options: ScanOptions): ScanLimits {
  const recordBytesMax = options.recordBytesMax ?? 16 * 1024 * 1024;
  return {
    depthMax: options.depthMax ?? 512,
    recordBytesMax,
    envelopeBytesMax: options.envelopeBytesMax ?? 1024 * 1024,
    keptBytesMax: Math.min(keptBytesMax, recordBytesMax),
  };
}
