/** One line of a log: number, time, level, task and what it says, with what was looked for marked. */
import type { ReactElement, ReactNode } from "react";
import type { Line } from "../../api/types.gen.ts";
import { classNames } from "../../components/class-names.ts";
import { printClock } from "../../format/instant.ts";

/** Glyph and ink of each level; the word stands beside it. */
export const levelLooks: Readonly<Record<Line["level"], Readonly<{ glyph: string; ink: string }>>> = {
  debug: { glyph: "·", ink: "text-muted" },
  info: { glyph: " ", ink: "text-muted" },
  warn: { glyph: "!", ink: "text-attention" },
  error: { glyph: "✕", ink: "text-failed" },
};

/** What a line says, its data behind it, in one row. */
export const printLine = ({ message, data }: Line): string =>
  data === undefined ? message : `${message} ${JSON.stringify(data)}`;

/** Characters of a line that are drawn; the rest is seen when the line is chosen. */
const drawnMax = 2000;

export type LogLineProps = Readonly<{
  line: Line | undefined;
  place: number;
  href: string;
  find: string;
  isPointed: boolean;
  isFound: boolean;
  onPoint: (line: Line) => void;
}>;

export function LogLine({
  line,
  place,
  href,
  find,
  isPointed,
  isFound,
  onPoint,
}: LogLineProps): ReactElement {
  const level = line === undefined ? undefined : levelLooks[line.level];
  const text = line === undefined ? "…" : printLine(line).slice(0, drawnMax).replaceAll("\n", " ⏎ ");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the log itself takes the keys, and points with arrows
    // biome-ignore lint/a11y/useKeyWithClickEvents: the log itself takes the keys, and points with arrows
    <div
      aria-current={isPointed || undefined}
      data-line={line?.id}
      onClick={() => line !== undefined && getSelection()?.isCollapsed !== false && onPoint(line)}
      className={classNames(
        "flex h-5 w-max min-w-full cursor-default gap-3 px-3 whitespace-pre hover:bg-selected",
        isPointed ? "bg-selected" : isFound && "bg-bg",
      )}
    >
      <a
        href={href}
        tabIndex={-1}
        aria-label={`Line ${place + 1}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey || line === undefined) return;
          event.preventDefault();
          onPoint(line);
        }}
        className="w-14 shrink-0 text-end text-muted select-none"
      >
        {place + 1}
      </a>
      <span className="shrink-0 text-muted">{line === undefined ? "" : printClock(Date.parse(line.at))}</span>
      <span className={classNames("w-16 shrink-0", level?.ink, line?.level === "error" && "font-semibold")}>
        {level?.glyph} {line?.level}
      </span>
      {line?.task != null && (
        <span className="shrink-0 text-muted" title={line.task}>
          {line.task.split(":")[0]}
        </span>
      )}
      <span className={line?.level === "error" ? "text-failed" : ""}>{mark(text, find)}</span>
    </div>
  );
}

/** The text with what was looked for marked. */
function mark(text: string, find: string): ReactNode {
  if (find === "") return text;
  const [lower, wanted] = [text.toLowerCase(), find.toLowerCase()];
  const parts: ReactNode[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at));
    parts.push(
      <mark key={at} className="bg-accent text-on-accent">
        {text.slice(at, at + find.length)}
      </mark>,
    );
    from = at + find.length;
  }
  parts.push(text.slice(from));
  return parts;
}
