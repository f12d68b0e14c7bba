/** Where in a table somebody is: what the address asked for, and what is in sight since. */
import { useCallback, useEffect, useRef, useState } from "react";
import { windowRows } from "./row-source.ts";

/** Windows begin at multiples of this, so that scrolling a little asks for nothing. */
const stepRows = 50;

/** Rows that are taken to be in sight before the table has said how many are. */
const sightRows = 25;

/** Pause between two looks at what is in sight, ms: whoever scrolls far asks only for some of what is passed. */
const sightMs = 80;

/** Places from 0, the last one included. */
export type Sight = Readonly<{ from: number; to: number }>;

/** Where the window begins that holds what is in sight, with as much above as below. */
export const windowAt = ({ from, to }: Sight): number =>
  Math.max(0, Math.floor((Math.floor((from + to) / 2) - windowRows / 2) / stepRows) * stepRows);

const sightAt = (at: number): Sight => ({ from: at - 1, to: at - 1 + sightRows });

export type RowPlace = Readonly<{
  /** Number of the row, from 1, that was gone to; another object each time. */
  place: Readonly<{ at: number }>;
  inSight: Sight;
  /** Says what is in sight. */
  see: (from: number, to: number) => void;
  goTo: (at: number) => void;
}>;

/** @param asked - names conditions and order: where they change, the first row is shown. */
export function useRowPlace(
  { at, row }: Readonly<{ at?: number | undefined; row?: number | undefined }>,
  asked: string,
): RowPlace {
  const of = `${at ?? ""} ${asked}`;
  const [gone, setGone] = useState(() => ({ of, at: Math.max(1, at ?? row ?? 1) }));
  const [inSight, setInSight] = useState(() => sightAt(gone.at));
  const goTo = useCallback(
    (next: number) => {
      setGone({ of, at: Math.max(1, next) });
      setInSight(sightAt(Math.max(1, next)));
    },
    [of],
  );
  if (gone.of !== of) goTo(at ?? 1);
  const seen = useRef<Sight>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const see = useCallback((from: number, to: number): void => {
    seen.current = { from, to };
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setInSight(seen.current ?? sightAt(1));
    }, sightMs);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return { place: gone, inSight, see, goTo };
}
