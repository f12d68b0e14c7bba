/**
 * Compound files (OLE 2): the little file system around the stream of an .xls.
 *
 * @see [MS-CFB], the published description of the format.
 */

const signature = "d0cf11e0a1b11ae1";
const headerBytes = 512;
const entryBytes = 128;
/** Sectors' numbers from here on are marks: end of a chain, free, part of the table itself. */
const marksFrom = 0xfffffffa;
/** Numbers of the table's own sectors that stand in the header. */
const headerSectors = 109;

/** A compound file that is cut off or contradicts itself. */
export class CompoundError extends Error {}

type DirectoryEntry = Readonly<{ start: number; size: number; isStream: boolean }>;

export class CompoundFile {
  /** Streams and folders at the top, by name in lower case: the format tells no capitals apart. */
  readonly entries: ReadonlyMap<string, DirectoryEntry>;
  readonly #bytes: Buffer;
  readonly #sectorBytes: number;
  readonly #miniSectorBytes: number;
  readonly #miniLimit: number;
  /** Next sector of each sector. */
  readonly #table: Uint32Array;
  readonly #miniTable: Uint32Array;
  readonly #miniStream: Buffer;

  /** @throws CompoundError, or a `RangeError` of the buffer, where it is cut off. */
  constructor(bytes: Buffer) {
    if (bytes.toString("hex", 0, 8) !== signature)
      throw new CompoundError("it does not begin as such a file");
    this.#bytes = bytes;
    const [sectorShift, miniShift] = [bytes.readUInt16LE(30), bytes.readUInt16LE(32)];
    if ((sectorShift !== 9 && sectorShift !== 12) || miniShift !== 6) {
      throw new CompoundError("its sectors have a size that none have");
    }
    this.#sectorBytes = 1 << sectorShift;
    this.#miniSectorBytes = 1 << miniShift;
    this.#miniLimit = bytes.readUInt32LE(56);
    this.#table = toNumbers(Buffer.concat(this.#tableSectors().map((sector) => this.#sector(sector))));
    this.#miniTable = toNumbers(this.#readChain(bytes.readUInt32LE(60)));
    const directory = this.#readChain(bytes.readUInt32LE(48));
    if (directory.length < entryBytes) throw new CompoundError("it has no directory");
    const root = readEntry(directory, 0);
    this.#miniStream = this.#readChain(root.start).subarray(0, root.size);
    this.entries = readTopEntries(directory);
  }

  /** @param name - of a stream at the top, in lower case. */
  read(name: string): Buffer {
    const { start, size } = this.entries.get(name)!;
    const isMini = size < this.#miniLimit;
    const bytes = isMini ? this.#readMiniChain(start) : this.#readChain(start);
    if (bytes.length < size) throw new CompoundError(`its stream "${name}" is cut off`);
    return bytes.subarray(0, size);
  }

  /** Numbers of the sectors that hold the table: the first in the header, more in a chain of their own. */
  #tableSectors(): number[] {
    const count = this.#bytes.readUInt32LE(44);
    const sectors: number[] = [];
    const take = (from: number, places: number): void => {
      for (let index = 0; index < places && sectors.length < count; index++) {
        sectors.push(this.#bytes.readUInt32LE(from + 4 * index));
      }
    };
    take(76, headerSectors);
    const places = this.#sectorBytes / 4 - 1;
    let next = this.#bytes.readUInt32LE(68);
    while (sectors.length < count && next < marksFrom) {
      const from = this.#offset(next);
      take(from, places);
      next = this.#bytes.readUInt32LE(from + 4 * places);
    }
    if (sectors.length < count) throw new CompoundError("its table of sectors is cut off");
    return sectors;
  }

  #offset(sector: number): number {
    return this.#sectorBytes === headerBytes ? (sector + 1) * headerBytes : (sector + 1) * this.#sectorBytes;
  }

  #sector(sector: number): Buffer {
    const from = this.#offset(sector);
    if (from >= this.#bytes.length) throw new CompoundError("it is cut off");
    return this.#bytes.subarray(from, from + this.#sectorBytes); // The last one is shorter in files of some programs.
  }

  #readChain(start: number): Buffer {
    const sectors: Buffer[] = [];
    for (let sector = start; sector < marksFrom; sector = this.#table[sector]!) {
      if (sector >= this.#table.length) throw new CompoundError("a chain of its sectors leads out of it");
      if (sectors.length > this.#table.length)
        throw new CompoundError("a chain of its sectors goes in a circle");
      sectors.push(this.#sector(sector));
    }
    return sectors.length === 1 ? sectors[0]! : Buffer.concat(sectors);
  }

  #readMiniChain(start: number): Buffer {
    const sectors: Buffer[] = [];
    for (let sector = start; sector < marksFrom; sector = this.#miniTable[sector]!) {
      const from = sector * this.#miniSectorBytes;
      if (sector >= this.#miniTable.length || from >= this.#miniStream.length) {
        throw new CompoundError("a chain of its small sectors leads out of it");
      }
      if (sectors.length > this.#miniTable.length)
        throw new CompoundError("a chain of its sectors goes in a circle");
      sectors.push(this.#miniStream.subarray(from, from + this.#miniSectorBytes));
    }
    return Buffer.concat(sectors);
  }
}

/** Whole 32-bit numbers; a table whose last sector is cut off ends before it. */
function toNumbers(bytes: Buffer): Uint32Array {
  const numbers = new Uint32Array(bytes.length >> 2);
  for (let index = 0; index < numbers.length; index++) numbers[index] = bytes.readUInt32LE(4 * index);
  return numbers;
}

function readEntry(directory: Buffer, index: number): DirectoryEntry & { name: string } {
  const at = index * entryBytes;
  const nameBytes = Math.max(0, Math.min(64, directory.readUInt16LE(at + 64)) - 2);
  return {
    name: directory.toString("utf16le", at, at + nameBytes),
    isStream: directory[at + 66] === 2,
    start: directory.readUInt32LE(at + 116),
    size: directory.readUInt32LE(at + 120),
  };
}

/** Entries are a tree of neighbours, and folders have trees of their own: an embedded workbook is not the workbook. */
function readTopEntries(directory: Buffer): ReadonlyMap<string, DirectoryEntry> {
  const entries = new Map<string, DirectoryEntry>();
  const count = Math.floor(directory.length / entryBytes);
  const seen = new Set<number>();
  const queue = [directory.readUInt32LE(76)];
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    if (index >= count || seen.has(index)) continue; // No neighbour, or a circle.
    seen.add(index);
    const { name, ...entry } = readEntry(directory, index);
    entries.set(name.toLowerCase(), entry);
    queue.push(
      directory.readUInt32LE(index * entryBytes + 68),
      directory.readUInt32LE(index * entryBytes + 72),
    );
  }
  return entries;
}
