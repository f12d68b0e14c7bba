/**
 * A table of any length: only the rows in sight are drawn. Arrows, Page Up and Down, Home and End move between rows, with
 * Ctrl to the first and last of all; Enter opens one, Space chooses it. Sort, hidden columns and choice belong to the page, which keeps them in its URL.
 */
import { FlexRender, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type ReactElement,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { usePreferences } from "../app/preferences.ts";
import { classNames } from "./class-names.ts";
import {
  type DataColumn,
  printSort,
  readHidden,
  readSort,
  type SortText,
  tableParts,
  toColumnDefs,
  widthUsual,
} from "./table-columns.ts";
import { SelectAllCell, SelectCell, TableHead } from "./table-head.tsx";

export type DataTableProps<Row extends object> = Readonly<{
  /** What the rows are, said to those who do not see them. */
  label: string;
  columns: readonly DataColumn<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  onOpen?: (row: Row) => void;
  sort?: SortText;
  onSort?: (sort: SortText) => void;
  /** Rows come sorted already. */
  isSortedElsewhere?: boolean;
  /** See `readHidden`; a `ColumnChooser` beside the table changes it. */
  hidden?: string | undefined;
  selected?: ReadonlySet<string>;
  onSelect?: (ids: ReadonlySet<string>) => void;
  /** `rows` are a window of a longer table: how long it is, where the window begins, and who is told what is in sight. */
  windowed?: Readonly<{
    count: number;
    offset: number;
    onRange: (from: number, to: number) => void;
    /** Row that comes into sight, as soon as the table is so long; again with each new object. */
    place?: Readonly<{ at: number }>;
    /** Where even the longer table is a part of one. */
    part?: TablePart;
  }>;
  /** Called when the end is near; more rows may then come. */
  onEnd?: () => void;
  /** Shown instead of rows. */
  empty?: ReactNode;
  /** px of height at most; default: what is left of the page. */
  heightMax?: number;
}>;

/** Rows before the part, in all, and those of all that can be gone to; and who shows another place when keys lead out. */
export type TablePart = Readonly<{
  before: number;
  total: number;
  reach: number;
  /** @param at - place of the row, from 0. */
  onLeave: (at: number) => void;
}>;

/** Rows drawn above and below those in sight, so that scrolling shows no gaps. */
const overscan = 12;

/** Frames in which a row that was gone to is looked for: it is drawn in the next, or when the machine finds time. */
const focusFrames = 60;

/** So many rows before the end more are asked for. */
const endRows = 30;

export function DataTable<Row extends object>(props: DataTableProps<Row>): ReactElement {
  const { label, columns, rows, rowId, onOpen, sort, onSort, hidden, selected, onSelect, windowed, onEnd } =
    props;
  const { density } = usePreferences();
  const rowHeight = density === "compact" ? 28 : 36;
  const scroller = useRef<HTMLDivElement>(null);
  const [activeRow, setActive] = useState(0);
  /** Row that keys went to last: it may not be drawn yet. */
  const wanted = useRef<number>(undefined);
  /** Keys have led out of the part, and go on at the place that is shown next. */
  const isLeaving = useRef(false);
  const defs = useMemo(() => toColumnDefs(columns), [columns]);
  const table = useTable({
    features: tableParts,
    columns: defs,
    // The table asks for an array it could change, and changes none.
    data: rows as Row[],
    getRowId: rowId,
    enableMultiSort: false,
    manualSorting: props.isSortedElsewhere ?? false,
    enableRowSelection: onSelect !== undefined,
    state: {
      sorting: readSort(sort),
      columnVisibility: Object.fromEntries(readHidden(columns, hidden).map((id) => [id, false])),
      rowSelection: Object.fromEntries([...(selected ?? [])].map((id) => [id, true])),
    },
    onSortingChange: (update) =>
      onSort?.(printSort(typeof update === "function" ? update(readSort(sort)) : update)),
  });
  const shown = table.getRowModel().rows;
  const offset = windowed?.offset ?? 0;
  const count = windowed?.count ?? shown.length;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan,
  });
  const items = virtual.getVirtualItems();
  const [from, to] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  const [top, bottom] = [virtual.range?.startIndex ?? from, virtual.range?.endIndex ?? to];
  useEffect(() => virtual.measure(), [virtual, rowHeight]);
  const onRange = windowed?.onRange;
  useEffect(() => onRange?.(top, bottom), [onRange, top, bottom]);
  const place = windowed?.place;
  const part = windowed?.part;
  const before = part?.before ?? 0;
  const isLong = place !== undefined && place.at < count;
  useEffect(() => {
    if (place === undefined || !isLong) return;
    setActive(place.at);
    virtual.scrollToIndex(place.at, { align: "start" });
    if (!isLeaving.current) return;
    isLeaving.current = false;
    wanted.current = place.at;
    focusDrawn(scroller, before + place.at, () => wanted.current === place.at, focusFrames);
  }, [virtual, place, before, isLong]);
  useEffect(() => {
    if (count > 0 && to >= count - endRows) onEnd?.();
  }, [count, to, onEnd]);
  const widths = table
    .getVisibleLeafColumns()
    .map((column) => columns.find((one) => one.id === column.id)?.width);
  const visible = table.getVisibleLeafColumns().length + Number(onSelect !== undefined);

  const last = (part?.reach ?? count) - 1 - before;
  const move = (index: number): void => {
    const next = Math.max(-before, Math.min(last, index));
    // The row that has the focus may vanish before the next is drawn: the keys pressed meanwhile are the table's.
    scroller.current?.querySelector("table")?.focus({ preventScroll: true });
    if (next < 0 || next >= count) {
      isLeaving.current = true;
      part?.onLeave(before + next);
      return;
    }
    setActive(next);
    wanted.current = next;
    virtual.scrollToIndex(next);
    focusDrawn(scroller, before + next, () => wanted.current === next, focusFrames);
  };
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!(event.target instanceof HTMLElement) || !/^(?:tr|table)$/.test(event.target.localName)) return;
    const active = event.target.localName === "table" ? (wanted.current ?? activeRow) : activeRow;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2);
    const isOfAll = event.ctrlKey || event.metaKey;
    const places = new Map([
      ["ArrowDown", active + 1],
      ["ArrowUp", active - 1],
      // A page stops at the edge of the part, so that none of its rows is passed over; from there it goes on.
      ["PageDown", active === count - 1 ? count : Math.min(count - 1, active + page)],
      ["PageUp", active === 0 ? -1 : Math.max(0, active - page)],
      ["Home", isOfAll ? -before : 0],
      ["End", isOfAll ? last : count - 1],
    ]);
    const place = places.get(event.key);
    const row = shown[active - offset];
    if (place !== undefined && count > 0) move(place);
    else if (event.key === "Enter" && row !== undefined) onOpen?.(row.original);
    else if (event.key === " " && row !== undefined && onSelect !== undefined) toggle(row.id);
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={scroller}
      className="relative min-h-40 flex-1 overflow-auto bg-panel"
      style={props.heightMax === undefined ? {} : { maxHeight: props.heightMax }}
    >
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows walked through with arrows make a grid
        role="grid"
        aria-label={label}
        tabIndex={-1}
        aria-rowcount={(part?.total ?? count) + 1}
        aria-multiselectable={onSelect === undefined ? undefined : true}
        onKeyDown={onKeyDown}
        className="w-full table-fixed border-separate border-spacing-0 outline-none"
        style={{ minWidth: widths.reduce<number>((sum, width) => sum + (width ?? widthUsual), 0) }}
      >
        <colgroup>
          {onSelect !== undefined && <col style={{ width: 40 }} />}
          {widths.map((width, at) => (
            <col key={at} style={width === undefined ? {} : { width }} />
          ))}
        </colgroup>
        <TableHead
          table={table}
          columns={columns}
          lead={
            onSelect !== undefined && (
              <SelectAllCell
                label={label}
                ids={shown.map((row) => row.id)}
                selected={selected ?? new Set()}
                onSelect={onSelect}
              />
            )
          }
        />
        <tbody>
          <Spacer height={items[0]?.start ?? 0} columns={visible} />
          {items.map(({ index }) => {
            const row = shown[index - offset];
            const isSelected = row !== undefined && (selected?.has(row.id) ?? false);
            return (
              <tr
                // In a window a row is its place: one that has not come yet must not be named as another is.
                key={windowed === undefined ? row?.id : before + index}
                aria-rowindex={before + index + 2}
                aria-selected={onSelect === undefined ? undefined : isSelected}
                tabIndex={index === activeRow || (activeRow < from && index === from) ? 0 : -1}
                onFocus={() => setActive(index)}
                onClick={(event) => {
                  const isOwn =
                    event.target instanceof Element && event.target.closest("a,button,input,label");
                  if (row !== undefined && !isOwn && getSelection()?.isCollapsed !== false)
                    onOpen?.(row.original);
                }}
                className={classNames(
                  "hover:bg-sunk focus-visible:-outline-offset-2",
                  onOpen !== undefined && "cursor-pointer",
                  isSelected && "bg-selected",
                )}
                style={{ height: rowHeight }}
              >
                {onSelect !== undefined &&
                  (row === undefined ? (
                    <td className="border-b border-line" />
                  ) : (
                    <SelectCell id={row.id} isSelected={isSelected} onToggle={toggle} />
                  ))}
                {row === undefined ? (
                  <td colSpan={visible} className="border-b border-line px-3 text-muted">
                    …
                  </td>
                ) : (
                  row.getVisibleCells().map((cell) => (
                    <td
                      key={cell.id}
                      className={classNames(
                        "truncate border-b border-line px-3 py-0",
                        columns.find((one) => one.id === cell.column.id)?.align === "end" &&
                          "figures text-end",
                      )}
                    >
                      <FlexRender cell={cell} />
                    </td>
                  ))
                )}
              </tr>
            );
          })}
          <Spacer height={virtual.getTotalSize() - (items.at(-1)?.end ?? 0)} columns={visible} />
        </tbody>
      </table>
      {count === 0 && props.empty}
    </div>
  );
}

/** Puts the focus on a row, from 0, as soon as it is drawn; somebody may have gone on before. */
function focusDrawn(
  scroller: RefObject<HTMLElement | null>,
  place: number,
  isWanted: () => boolean,
  frames: number,
): void {
  requestAnimationFrame(() => {
    if (!isWanted()) return;
    const row = scroller.current?.querySelector<HTMLElement>(`tr[aria-rowindex="${place + 2}"]`);
    if (row != null) row.focus();
    else if (frames > 0) focusDrawn(scroller, place, isWanted, frames - 1);
  });
}

/** Stands for the rows that are not drawn. */
function Spacer({ height, columns }: Readonly<{ height: number; columns: number }>): ReactNode {
  if (height <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: it has no tabIndex, and takes no focus
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
