/** What can be done with a log: find, narrow, follow, jump, take home. */
import { ArrowDownToLine, ArrowUpToLine, ChevronDown, ChevronUp, Download } from "lucide-react";
import type { ReactElement, RefObject } from "react";
import type { LogChoice } from "../../client/log-queries.ts";
import { apiHref } from "../../client/request.ts";
import { Button, buttonClass } from "../../components/button.tsx";
import { CheckMenu } from "../../components/check-menu.tsx";
import { fieldClass } from "../../components/field.tsx";
import { Select, type SelectOption } from "../../components/select.tsx";
import { Tooltip } from "../../components/tooltip.tsx";
import { plural, printCount } from "../../format/duration.ts";
import { levelLooks } from "./log-line.tsx";

const levels = ["debug", "info", "warn", "error"] as const;

export type LogToolbarProps = Readonly<{
  findField: RefObject<HTMLInputElement | null>;
  text: string;
  onText: (text: string) => void;
  /** What was found; `undefined`: nothing is looked for. */
  found: Readonly<{ count: number; at: number; isAll: boolean }> | undefined;
  onFound: (step: number) => void;
  choice: LogChoice;
  onChoice: (choice: LogChoice) => void;
  tasks: readonly SelectOption[];
  count: number;
  runId: string;
  isFollowing: boolean;
  isOver: boolean;
  onFollow: (isOn: boolean) => void;
  onStart: () => void;
  onEnd: () => void;
  pageCount: number;
  page: number;
  onPage: (page: number) => void;
}>;

export function LogToolbar(props: LogToolbarProps): ReactElement {
  const { text, onText, found, onFound, choice, onChoice, tasks, count, isFollowing, isOver } = props;
  return (
    <div className="flex flex-wrap items-center gap-2 border-y border-line bg-panel px-4 py-1.5">
      <h2 className="font-semibold">Log</h2>
      <input
        ref={props.findField}
        type="search"
        aria-label="Find in all lines"
        aria-keyshortcuts="Control+F"
        placeholder="Find in all lines (Ctrl F)"
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          onFound(event.shiftKey ? -1 : 1);
        }}
        className={`${fieldClass} w-52`}
      />
      <span role="status" className="figures min-w-16 text-meta text-muted">
        {found !== undefined &&
          (found.count === 0
            ? "not found"
            : `${found.at + 1} of ${printCount(found.count)}${found.isAll ? "" : " and more"}`)}
      </span>
      <Button
        look="quiet"
        className="px-1"
        aria-label="Previous find"
        disabled={!found?.count}
        onClick={() => onFound(-1)}
      >
        <ChevronUp aria-hidden="true" />
      </Button>
      <Button
        look="quiet"
        className="px-1"
        aria-label="Next find"
        disabled={!found?.count}
        onClick={() => onFound(1)}
      >
        <ChevronDown aria-hidden="true" />
      </Button>
      <CheckMenu
        label={`Level: ${choice.level?.join(", ") ?? "any"}`}
        options={levels.map((level) => ({
          value: level,
          name: (
            <span className={levelLooks[level].ink}>
              {levelLooks[level].glyph} {level}
            </span>
          ),
        }))}
        chosen={choice.level ?? []}
        onChange={(chosen) => onChoice({ ...choice, level: chosen.length === 0 ? undefined : chosen })}
      >
        Level{choice.level !== undefined && `: ${choice.level.join(", ")}`}
      </CheckMenu>
      {tasks.length > 0 && (
        <Select
          label="Task"
          options={[{ value: "", name: "any" }, ...tasks]}
          value={choice.task ?? ""}
          onChange={(task) => onChoice({ ...choice, task: task || undefined })}
        />
      )}
      <span className="flex-1" />
      <span className="figures text-meta text-muted">{plural(count, "line")}</span>
      {props.pageCount > 1 && (
        <Select
          label="Part"
          options={Array.from({ length: props.pageCount }, (_, at) => ({
            value: String(at),
            name: `${at + 1} of ${props.pageCount}`,
          }))}
          value={String(props.page)}
          onChange={(page) => props.onPage(Number(page))}
        />
      )}
      <Tooltip text="First line (Home)">
        <Button look="quiet" className="px-1" aria-label="First line" onClick={props.onStart}>
          <ArrowUpToLine aria-hidden="true" />
        </Button>
      </Tooltip>
      <Tooltip text="Last line (End)">
        <Button look="quiet" className="px-1" aria-label="Last line" onClick={props.onEnd}>
          <ArrowDownToLine aria-hidden="true" />
        </Button>
      </Tooltip>
      {!isOver && (
        <Button aria-pressed={isFollowing} onClick={() => props.onFollow(!isFollowing)}>
          {isFollowing ? "▶ Following" : "Follow"}
        </Button>
      )}
      <a
        href={apiHref(`runs/${encodeURIComponent(props.runId)}/logs/file`)}
        download
        className={buttonClass("plain")}
      >
        <Download aria-hidden="true" />
        All lines
      </a>
    </div>
  );
}
