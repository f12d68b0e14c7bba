/** The pack of a version in memory: columns and orders, over memory that threads share. */
import { open } from "node:fs/promises";
import { LeatError } from "../errors/leat-error.ts";
import type { PackLayout } from "../model/serving-pack.ts";
import { PackedColumn } from "./packed-column.ts";

/** Bytes read at once: each piece goes straight to its place, on another thread. */
const pieceBytes = 16 * 1024 * 1024;

/** Memory and layout of a pack; may be handed to another thread, which opens it for itself. */
export type PackMemory = Readonly<{ memory: SharedArrayBuffer; layout: PackLayout }>;

/** Reads a pack's file. The event loop is free meanwhile. */
export async function readPack(path: string, layout: PackLayout): Promise<PackMemory> {
  const memory = new SharedArrayBuffer(layout.bytes);
  const file = await open(path, "r");
  try {
    for (let at = 0; at < layout.bytes; ) {
      const piece = new Uint8Array(memory, at, Math.min(pieceBytes, layout.bytes - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0)
        throw new LeatError("FILE_UNREADABLE", { message: `The pack ${path} is cut off.` });
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { memory, layout };
}

/** A pack that can be asked. */
export class Pack {
  readonly rowCount: number;
  readonly columns: readonly PackedColumn[];
  readonly #byName: ReadonlyMap<string, PackedColumn>;
  readonly #orders: ReadonlyMap<string, Uint32Array>;
  /**
   * As large as the memory, never touched, and therefore nowhere: the engine of JavaScript does not count memory that
   * threads share, and would let versions that nobody has any more lie about until it collects for another reason.
   */
  readonly #ballast: ArrayBuffer;

  constructor({ memory, layout }: PackMemory) {
    this.rowCount = layout.rowCount;
    this.#ballast = new ArrayBuffer(layout.bytes);
    this.columns = layout.columns.map((column) => new PackedColumn(memory, column, layout.rowCount));
    this.#byName = new Map(this.columns.map((column) => [column.name, column]));
    this.#orders = new Map(
      layout.orders.map(({ columns, rows }) => [
        orderName(columns),
        new Uint32Array(memory, rows.at, rows.length),
      ]),
    );
  }

  get bytes(): number {
    return this.#ballast.byteLength;
  }

  column(name: string): PackedColumn | undefined {
    return this.#byName.get(name);
  }

  /** Rows in another order than the version's own, if it was asked for when the version was loaded. */
  order(columns: readonly string[]): Uint32Array | undefined {
    return this.#orders.get(orderName(columns));
  }
}

const orderName = (columns: readonly string[]): string => JSON.stringify(columns);
