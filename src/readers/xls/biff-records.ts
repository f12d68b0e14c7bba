/** The stream of an .xls: records of a type and up to 8 KiB, some continued in the records behind them. */

/** Types of records read here. */
export const recordTypes = {
  formula: 0x06,
  eof: 0x0a,
  dateMode: 0x22,
  filePass: 0x2f,
  continued: 0x3c,
  codePage: 0x42,
  columnInfo: 0x7d,
  boundSheet: 0x85,
  multipleRk: 0xbd,
  richString: 0xd6,
  format: 0xe0, // XF: which format a style has.
  mergedCells: 0xe5,
  sharedStrings: 0xfc,
  labelShared: 0xfd,
  number: 0x203,
  label: 0x204,
  booleanOrError: 0x205,
  string: 0x207,
  row: 0x208,
  rk: 0x27e,
  formatCode: 0x41e,
  beginning: 0x809,
} as const;

/** Walks over the records of a stream. */
export class BiffRecords {
  readonly bytes: Buffer;
  /** Type of the record at hand. */
  type = -1;
  /** Where its content begins and ends. */
  from = 0;
  to: number;

  constructor(bytes: Buffer, offset: number) {
    this.bytes = bytes;
    this.to = offset;
  }

  /** Goes to the next record; `false`: the stream is at its end. @throws RangeError where a record is cut off. */
  next(): boolean {
    if (this.to >= this.bytes.length) return false;
    this.type = this.bytes.readUInt16LE(this.to);
    this.from = this.to + 4;
    this.to = this.from + this.bytes.readUInt16LE(this.to + 2);
    if (this.to > this.bytes.length) throw new RangeError("a record is cut off");
    return true;
  }

  /** Type of the record behind the one at hand. */
  get nextType(): number {
    return this.to + 4 > this.bytes.length ? -1 : this.bytes.readUInt16LE(this.to);
  }
}

/** The content of a record and of those that continue it, read from a place on. */
export class RecordPieces {
  readonly #records: BiffRecords;
  #at: number;

  constructor(records: BiffRecords, from: number) {
    this.#records = records;
    this.#at = from;
  }

  /** Bytes left in this record. */
  get left(): number {
    return this.#records.to - this.#at;
  }

  /** Goes on in the record that continues this one. @throws RangeError where none does. */
  nextPiece(): void {
    if (this.#records.nextType !== recordTypes.continued) throw new RangeError("a text is cut off");
    this.#records.next();
    this.#at = this.#records.from;
  }

  readByte(): number {
    while (this.left <= 0) this.nextPiece();
    return this.#records.bytes[this.#at++]!;
  }

  readNumber(byteCount: number): number {
    let value = 0;
    for (let index = 0; index < byteCount; index++) value += this.readByte() * 2 ** (8 * index);
    return value;
  }

  /** Bytes of this record alone. */
  readBytes(count: number): Buffer {
    const bytes = this.#records.bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  skip(count: number): void {
    let rest = count;
    while (rest > 0) {
      if (this.left <= 0) this.nextPiece();
      const step = Math.min(rest, this.left);
      this.#at += step;
      rest -= step;
    }
  }
}
