/** What a shared table is at the customer's: names, key, columns and types, made of the stream's own. Pure. */
import { type ColumnKinds, type ColumnTable, foldColumn, kindBits } from "../model/column-kinds.ts";
import type { DeclaredType, StreamSpec } from "../model/stream.ts";
import type { ShareColumn, ShareSpec, ShareTable } from "../ports/share.ts";

/** The stream as the customer's warehouse knows it: its source is the share's schema, its name the table's. */
export function planTargetStream(share: ShareSpec, table: ShareTable, stream: StreamSpec): StreamSpec {
  const { cursor, deletedField } = stream;
  const rename = (path: string): string => {
    const [first, ...below] = path.split(".");
    return [nameOf(table, first!), ...below].join(".");
  };
  return {
    ...stream,
    source: share.schema,
    name: table.name,
    primaryKey: stream.primaryKey.map(rename),
    cursor: cursor === undefined ? undefined : { ...cursor, field: rename(cursor.field) },
    deletedField: deletedField === undefined ? undefined : nameOf(table, deletedField),
    columns: planTypes(table, stream.columns),
    landingTable: `${share.schema}_${table.name}_versions`,
    isCurrentOnly: share.keep === "current",
  };
}

/** The same table beside itself, in which everything is loaded again. */
export function planAsideStream(target: StreamSpec): StreamSpec {
  return {
    ...target,
    source: `${target.source}_leat_aside`,
    landingTable: `${target.landingTable}_leat_aside`,
  };
}

/** A key's name at the customer's; keys that no column names (leat's own) keep theirs. */
function nameOf({ columns }: ShareTable, key: string): string {
  return columns?.find((column) => column.key === key)?.name ?? key;
}

function planTypes({ columns }: ShareTable, declared: StreamSpec["columns"]): StreamSpec["columns"] {
  if (columns === undefined) return declared;
  const text: DeclaredType = { type: "text" };
  return Object.fromEntries(
    columns.flatMap(({ key, name, isMasked }): [string, DeclaredType][] => {
      if (isMasked) return [[name, text]];
      const type = Object.hasOwn(declared, key) ? declared[key] : undefined;
      return type === undefined ? [] : [[name, type]];
    }),
  );
}

/** What a package's columns have shown, as the shared rows show it. */
export function planKinds(columns: readonly ShareColumn[], seen: ColumnTable): ColumnTable {
  const shared = new Map<string, ColumnKinds>();
  for (const { key, name, isMasked } of columns) {
    const kinds = seen.get(key);
    if (kinds === undefined) continue;
    shared.set(name, foldColumn(undefined, isMasked ? maskedKinds(kinds) : kinds));
  }
  return shared;
}

const maskedKinds = ({ kinds }: ColumnKinds): ColumnKinds => {
  const isSeen = (kinds & ~kindBits.null) !== 0;
  return {
    kinds: (kinds & kindBits.null) | (isSeen ? kindBits.text : 0),
    intDigitsMax: 0,
    scaleMax: 0,
    hasExactNumbers: false,
  };
};
