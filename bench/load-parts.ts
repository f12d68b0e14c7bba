/** Landed parts for the load benchmark: as extract writes them, made without a partner. */
import { createWriteStream, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { ColumnKinds, ColumnTable } from "../src/model/column-kinds.ts";
import { measureColumns } from "../src/testing/landed-package.ts";

/** `narrow`: 8 columns that the engine reads exactly. `exact`: the same with two that a double would round. */
export type LoadShape = "narrow" | "exact";

/** Records of a part, the most that extract puts into one; and of a frame, a usual page. */
export const partRows = 100_000;
const frameRows = 1000;

/** A record of about 190 bytes. */
function recordOf(shape: LoadShape, id: number): string {
  const day = String(1 + (id % 28)).padStart(2, "0");
  const exact = shape === "exact" ? "123456" : "";
  return (
    `{"id":${id},"name":"Plant number ${id}","state":"${id % 3 === 0 ? "Vegetative" : "Flowering"}",` +
    `"price":12345678901${exact}.${10 + (id % 90)},"weight":${exact === "" ? (id % 1000) / 8 : `${id % 1000}.${id % 8}0000000000000001`},` +
    `"isOnHold":${id % 2 === 0},"planted":"2024-01-${day}","modified":"2024-02-${day}T06:12:${10 + (id % 50)}.123456Z"}`
  );
}

/** The kinds that the records show: what the manifest says. */
export function columnsOf(shape: LoadShape): ColumnTable {
  const ids = [0, 1, 2, 3, 7, 999, 12_345_678];
  return new Map<string, ColumnKinds>(measureColumns(ids.map((id) => recordOf(shape, id))));
}

/** The same columns as the engine's own reader is told them. */
export function plainTypes(shape: LoadShape): string {
  const number = shape === "exact" ? "DECIMAL(38,20)" : "DOUBLE";
  return `{id: 'BIGINT', name: 'VARCHAR', state: 'VARCHAR', price: '${number}', weight: '${number}',
    isOnHold: 'BOOLEAN', planted: 'DATE', modified: 'TIMESTAMPTZ'}`;
}

/** Writes parts of {@link partRows} records each, unless they are there. */
export async function landParts(folder: string, shape: LoadShape, rows: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let from = 0; from < rows; from += partRows) {
    const stem = join(folder, `${shape}-${from}`);
    const temporary = `${stem}.tmp`;
    const file = createWriteStream(temporary);
    let plainBytes = 0;
    for (let id = from; id < from + partRows; id += frameRows) {
      let lines = "";
      for (let row = id; row < id + frameRows; row += 1)
        lines +=
          `{"tenant_id":"414","_leat_package":1,"_leat_row":${row},` +
          `"_leat_extracted_at":"2026-01-01T00:00:00.000Z",${recordOf(shape, row).slice(1)}\n`;
      plainBytes += lines.length; // ASCII.
      file.write(zstdCompressSync(lines, { params: { 100: 1 } })); // ZSTD_c_compressionLevel.
    }
    await new Promise<void>((resolve, reject) =>
      file.end((error?: Error | null) => (error ? reject(error) : resolve())),
    );
    const name = `${stem}-${partRows}-${plainBytes}.ndjson.zst`;
    if (!existsSync(name)) renameSync(temporary, name);
  }
}
