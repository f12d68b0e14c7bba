/** Where in a long table somebody is, and ways to other places: a number typed, the part before, the part after. */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { type FormEvent, type ReactElement, useState } from "react";
import { Button } from "../../components/button.tsx";
import { fieldClass } from "../../components/field.tsx";
import { printCount } from "../../format/duration.ts";

/**
 * Rows that one scroll bar goes through. Browsers take heights of some 17 million px, which half a million rows pass; and
 * what is kept of each row's place takes 8 MB for so many.
 */
export const partRows = 100_000;

/** The part of a table that a row is in. */
export type Part = Readonly<{ first: number; count: number }>;

/** @param at - number of a row, from 1. `first` is a place, from 0. */
export function partOf(at: number, reach: number): Part {
  const place = Math.max(0, Math.min(at, reach) - 1);
  const first = Math.floor(place / partRows) * partRows;
  return { first, count: Math.max(0, Math.min(partRows, reach - first)) };
}

export type RowPlacesProps = Readonly<{
  part: Part;
  /** Places in sight, within the whole table. */
  inSight: Readonly<{ from: number; to: number }>;
  total: number;
  /** Rows that can be gone to. */
  reach: number;
  /** @param at - number of a row, from 1. */
  onGo: (at: number) => void;
}>;

export function RowPlaces({ part, inSight, total, reach, onGo }: RowPlacesProps): ReactElement {
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<string>();
  const go = (event: FormEvent): void => {
    event.preventDefault();
    const at = Number(typed.replaceAll(/[\s,'’_]/g, ""));
    const isRow = typed.trim() !== "" && Number.isSafeInteger(at) && at >= 1 && at <= reach;
    setFault(isRow ? undefined : `Type a number from 1 to ${printCount(reach)}.`);
    if (isRow) onGo(at);
  };
  const isParted = reach > partRows;
  return (
    <form onSubmit={go} className="flex flex-wrap items-center gap-1" noValidate>
      <span className="figures mr-1 text-muted">
        {printCount(Math.min(inSight.from + 1, total))}–{printCount(Math.min(inSight.to + 1, total))}
      </span>
      {isParted && (
        <Button
          aria-label={`The ${printCount(partRows)} rows before`}
          disabled={part.first === 0}
          onClick={() => onGo(part.first + 1 - partRows)}
        >
          <ChevronLeft size={14} aria-hidden="true" />
        </Button>
      )}
      <input
        aria-label="Go to row"
        inputMode="numeric"
        placeholder="Go to row"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        aria-invalid={fault === undefined ? undefined : true}
        aria-describedby={fault === undefined ? undefined : "row-place-fault"}
        className={`${fieldClass} w-28`}
      />
      <Button type="submit">Go</Button>
      {isParted && (
        <Button
          aria-label={`The ${printCount(partRows)} rows after`}
          disabled={part.first + part.count >= reach}
          onClick={() => onGo(part.first + 1 + partRows)}
        >
          <ChevronRight size={14} aria-hidden="true" />
        </Button>
      )}
      {fault !== undefined && (
        <span id="row-place-fault" role="alert" className="text-failed">
          ✕ {fault}
        </span>
      )}
      {reach < total && (
        <span className="text-muted">
          The first {printCount(reach)} can be gone to: filter to see others.
        </span>
      )}
    </form>
  );
}
