/** A state: glyph, word and colour. */
import type { ReactElement } from "react";
import { inkOf, lookOf } from "../format/state-look.ts";
import { classNames } from "./class-names.ts";

/** `word`: said instead of the state's own, such as `Late 2 h 10 m`. */
export function StateBadge({ state, word }: Readonly<{ state: string; word?: string }>): ReactElement {
  const { word: usual, glyph, look } = lookOf(state);
  return (
    <span
      className={classNames("inline-flex items-center gap-1.5 font-semibold whitespace-nowrap", inkOf[look])}
    >
      <span
        aria-hidden="true"
        className={classNames("w-4 text-center", look === "running" && "running-motion")}
      >
        {glyph}
      </span>
      {word ?? usual}
    </span>
  );
}
