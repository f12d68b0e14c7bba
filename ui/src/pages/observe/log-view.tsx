/**
 * The log of a run, of any length. Only lines in sight are drawn, so the browser's own search would miss the others:
 * Ctrl+F looks through all of them, on the server.
 */
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactElement, useCallback, useEffect, useRef, useState } from "react";
import type { Line } from "../../api/types.gen.ts";
import { findQuery, type LogChoice, linePlaceQuery } from "../../client/log-queries.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { SelectOption } from "../../components/select.tsx";
import { useDebounced } from "../../components/use-debounced.ts";
import { plural } from "../../format/duration.ts";
import { LogDetail } from "./log-detail.tsx";
import { LogLine } from "./log-line.tsx";
import { LogToolbar } from "./log-toolbar.tsx";
import { useLog } from "./use-log.ts";

/** Height of a line, px. */
const lineHeight = 20;

/** Lines drawn at once in one scroll: browsers cut heights beyond some 17 million px. */
const scrolledMax = 500_000;

/** Lines drawn above and below those in sight. */
const overscan = 20;

/** How close to the end still counts as the end, px. */
const endSlack = 2 * lineHeight;

export type LogViewProps = Readonly<{
  runId: string;
  choice: LogChoice;
  onChoice: (choice: LogChoice) => void;
  /** Tasks that can be chosen. */
  tasks: readonly SelectOption[];
  find: string;
  onFind: (text: string) => void;
  /** Id of the line that is pointed at. */
  pointed: number | undefined;
  onPoint: (id: number | undefined) => void;
  /** Address of the view with this line pointed at. */
  hrefOf: (id: number) => string;
  isLive: boolean;
}>;

export function LogView(props: LogViewProps): ReactElement {
  const { runId, choice, onChoice, tasks, find, onFind, pointed, onPoint, hrefOf, isLive } = props;
  const { store, error, isOver } = useLog(runId, choice, isLive);
  const [text, setText] = useState(find);
  const settled = useDebounced(text);
  const [isFollowing, setFollowing] = useState(pointed === undefined && isLive);
  const [seen, setSeen] = useState(0);
  const [page, setPage] = useState(0);
  const [foundAt, setFoundAt] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const scrolled = useRef({ top: 0, height: 0 });
  const findField = useRef<HTMLInputElement>(null);
  const count = store?.count ?? 0;
  const base = page * scrolledMax;
  const shown = Math.min(count - base, scrolledMax);
  const found = useQuery({
    ...findQuery(runId, choice, settled),
    refetchInterval: isLive && !isOver ? 2000 : false,
  });
  const places = found.data?.found ?? [];
  const { data: pointedPlace } = useQuery(linePlaceQuery(runId, choice, pointed));

  const virtual = useVirtualizer({
    count: Math.max(0, shown),
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan,
  });
  const items = virtual.getVirtualItems();
  const [from, to] = [base + (items[0]?.index ?? 0), base + (items.at(-1)?.index ?? 0)];
  const version = store?.version ?? 0;
  useEffect(() => {
    if (version >= 0) store?.want(from, to);
  }, [store, from, to, version]);

  // What is there at first is not new.
  useEffect(() => setSeen(store?.count ?? 0), [store]);

  useEffect(() => {
    if (settled !== find) onFind(settled);
  }, [settled, find, onFind]);

  // A line of another part is gone to when that part is drawn.
  const target = useRef<number>(undefined);
  const [jumps, setJumps] = useState(0);
  const goTo = useCallback((place: number): void => {
    target.current = place;
    setFollowing(false);
    setPage(Math.floor(place / scrolledMax));
    setJumps((before) => before + 1);
  }, []);
  useEffect(() => {
    const { current: place } = target;
    if (jumps === 0 || place === undefined || Math.floor(place / scrolledMax) !== page) return;
    if (place % scrolledMax >= shown) return;
    target.current = undefined;
    virtual.scrollToIndex(place % scrolledMax, { align: "center" });
  }, [jumps, page, shown, virtual]);
  const goToEnd = useCallback((): void => {
    setPage(Math.floor(Math.max(0, count - 1) / scrolledMax));
    setFollowing(true);
  }, [count]);

  // The line of the address is shown when it is known where it is.
  const gone = useRef<number>(undefined);
  useEffect(() => {
    if (pointed === undefined || pointedPlace === null || pointedPlace === undefined || store === undefined)
      return;
    if (gone.current === pointed) return;
    gone.current = pointed;
    goTo(pointedPlace);
  }, [pointed, pointedPlace, store, goTo]);

  useEffect(() => {
    if (!isFollowing || count === 0) return;
    const last = Math.floor((count - 1) / scrolledMax);
    if (page !== last) return setPage(last); // The log has grown beyond the part that was drawn.
    virtual.scrollToIndex(shown - 1, { align: "end" });
    setSeen(count);
  }, [isFollowing, shown, count, page, virtual]);

  // The line's own text, below, takes some of the room: what was in the middle may then be out of sight.
  const pointedLine = pointedPlace == null ? undefined : store?.line(pointedPlace);
  const detailed = pointedLine?.id;
  useEffect(() => {
    if (detailed === undefined || gone.current !== detailed || pointedPlace == null) return;
    if (Math.floor(pointedPlace / scrolledMax) !== page) return;
    const frame = requestAnimationFrame(() =>
      virtual.scrollToIndex(pointedPlace % scrolledMax, { align: "auto" }),
    );
    return () => cancelAnimationFrame(frame);
    // Once for each line that is pointed at: whoever scrolls on is not taken back.
  }, [detailed]);

  const point = (line: Line): void => {
    gone.current = line.id; // It is in sight already.
    onPoint(line.id === pointed ? undefined : line.id);
  };
  const goToFound = (step: number): void => {
    if (places.length === 0) return;
    const next = (foundAt + step + places.length) % places.length;
    setFoundAt(next);
    goTo(places[next]?.place ?? 0);
  };
  // What is looked for moves the view, and no line that comes later does.
  const firstPlace = found.isPlaceholderData ? undefined : places[0]?.place;
  useEffect(() => {
    setFoundAt(0);
    if (settled !== "" && firstPlace !== undefined) goTo(firstPlace);
  }, [settled, firstPlace, goTo]);

  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "f" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      findField.current?.focus();
      findField.current?.select();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);

  const onScroll = (): void => {
    const { current } = scroller;
    if (current === null) return;
    const { scrollTop, scrollHeight, clientHeight } = current;
    const isAtEnd = scrollHeight - scrollTop - clientHeight <= endSlack;
    // Upwards, and not because the next part of the log begins, which is shorter.
    const isUp = scrollTop < scrolled.current.top && scrollHeight >= scrolled.current.height;
    scrolled.current = { top: scrollTop, height: scrollHeight };
    // A frame in which lines came is not somebody who scrolls.
    if (!isAtEnd && isUp && isFollowing && count === seen) setFollowing(false);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = pointedPlace ?? undefined;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "End") goToEnd();
    else if (event.key === "Home") goTo(0);
    else if (step !== 0) {
      const next = Math.max(0, Math.min(count - 1, at === undefined ? from + overscan : at + step));
      const line = store?.line(next);
      setFollowing(false);
      virtual.scrollToIndex(next - base, { align: "auto" });
      if (line !== undefined) {
        gone.current = line.id;
        onPoint(line.id);
      }
    } else if (event.key === "PageUp") {
      setFollowing(false);
      return;
    } else return;
    event.preventDefault();
  };

  if (store === undefined) {
    return error === null ? <LoadingState what="lines" /> : <ErrorState error={error} />;
  }
  const isNarrowed = choice.level !== undefined || choice.task !== undefined || choice.attempt !== undefined;
  const news = isFollowing ? 0 : Math.max(0, count - Math.max(seen, 0));
  return (
    <section aria-label="Log" className="wide:min-h-56 flex min-h-112 flex-1 flex-col">
      <LogToolbar
        findField={findField}
        text={text}
        onText={setText}
        found={
          settled === ""
            ? undefined
            : { count: places.length, at: foundAt, isAll: found.data?.is_all ?? true }
        }
        onFound={goToFound}
        choice={choice}
        onChoice={onChoice}
        tasks={tasks}
        count={count}
        runId={runId}
        isFollowing={isFollowing}
        isOver={isOver}
        onFollow={(isOn) => (isOn ? goToEnd() : setFollowing(false))}
        onStart={() => goTo(0)}
        onEnd={goToEnd}
        pageCount={Math.ceil(count / scrolledMax)}
        page={page}
        onPage={(next) => {
          setFollowing(false);
          setPage(next);
          virtual.scrollToIndex(0);
        }}
      />
      {store.failure !== undefined && <ErrorState error={store.failure} onRetry={() => store.retry()} />}
      <div className="relative min-h-0 flex-1">
        <div
          ref={scroller}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboards
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label={`Lines of the log: ${count}`}
          onScroll={onScroll}
          onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
          onKeyDown={onKeyDown}
          className="absolute inset-0 overflow-auto bg-sunk font-mono text-log focus-visible:-outline-offset-2"
        >
          <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
            <div
              role="presentation"
              className="absolute top-0 left-0 min-w-full"
              style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
            >
              {items.map(({ index }) => {
                const place = base + index;
                const line = store.line(place);
                return (
                  <LogLine
                    key={place}
                    line={line}
                    place={place}
                    href={line === undefined ? "" : hrefOf(line.id)}
                    find={settled}
                    isPointed={line !== undefined && line.id === pointed}
                    isFound={places[foundAt]?.place === place}
                    onPoint={point}
                  />
                );
              })}
            </div>
          </div>
        </div>
        {count === 0 && (
          <div className="pointer-events-none absolute inset-0">
            {isNarrowed ? (
              <EmptyState kind="filtered" title="No line fits" />
            ) : (
              <EmptyState
                kind="none"
                title={isOver ? "This run has written nothing" : "Nothing is written yet"}
              />
            )}
          </div>
        )}
        {news > 0 && !isOver && (
          <button
            type="button"
            onClick={goToEnd}
            className="absolute right-6 bottom-3 rounded-control bg-accent px-3 py-1 font-semibold text-on-accent shadow-lg"
          >
            ↓ {plural(news, "new line")}
          </button>
        )}
      </div>
      {pointedLine !== undefined && (
        <LogDetail line={pointedLine} href={hrefOf(pointedLine.id)} onClose={() => onPoint(undefined)} />
      )}
    </section>
  );
}
