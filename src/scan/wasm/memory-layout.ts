/**
 * Where things lie in a scanner's WebAssembly memory. The module is compiled with these numbers, and the tables of the
 * plain scanner are views of the same places, so that both read and write one state.
 */

/** Nesting that the module follows; deeper records are read by the plain scanner. */
export const stackDepthMax = 1024;
export const columnsMax = 16_384;
export const nodesMax = 16_384;
export const wordsMax = 262_144;
export const slotsMax = 65_536;
/** Bytes of the answer held at once, besides {@link bytesSlack}. A larger record is read by the plain scanner. */
export const bytesMax: number = 4 * 1024 * 1024;
/** The module looks so far behind the last byte. */
export const bytesSlack = 64;
export const batchRecordsMax = 2048;

/** Integers through which a call is told, and tells, more than fits its arguments. */
export const callAt = 64;
export const callSize = 16;
export const callCount = 0; // Records in the batch, in and out.
export const callStop = 1; // Why the call ended, see `stops`.
export const callSlotLimit = 2; // Length of the table of slots, less one.
export const callStamp = 3; // Number of the last object.

/** Integers kept of each open object or array. */
export const stackEntrySize = 5;
export const stackAt: number = callAt + 4 * callSize;
export const startsAt: number = stackAt + 4 * stackEntrySize * (stackDepthMax + 1);
export const endsAt: number = startsAt + 4 * batchRecordsMax;
export const problemsAt: number = endsAt + 4 * batchRecordsMax;
export const kindsAt: number = problemsAt + batchRecordsMax;
export const intDigitsAt: number = kindsAt + 4 * columnsMax;
export const scalesAt: number = intDigitsAt + 4 * columnsMax;
export const exactAt: number = scalesAt + 4 * columnsMax;
/** A node is a line of a processor's cache and begins where one does. */
export const nodesAt: number = Math.ceil((exactAt + columnsMax) / 64) * 64;
export const wordsAt: number = nodesAt + 64 * nodesMax;
export const slotsAt: number = wordsAt + 4 * wordsMax + bytesSlack;
export const bytesAt: number = slotsAt + 4 * slotsMax;
/** The extents of wanted fields, whose number is not fixed: all starts, then all ends. */
export const fieldsAt: number = bytesAt + bytesMax + bytesSlack;

/** Why the module came back. */
export const stopFull = 0; // The batch is full.
export const stopRest = 1; // What comes next is no record, or bytes ran out before it.
export const stopCut = 2; // Bytes ran out in a record.
export const stopOdd = 3; // A record that the plain scanner must read.
