/** Said when what is shown may be old. */
import type { ReactElement } from "react";
import { useLiveState } from "../client/live.ts";

export function ConnectionBanner(): ReactElement {
  const state = useLiveState();
  const text = state === "reconnecting" ? "Reconnecting: what is shown may be old. Nothing is lost." : "";
  return (
    <div
      role="status"
      className={text === "" ? "sr-only" : "bg-selected px-4 py-1 font-semibold text-attention"}
    >
      {text !== "" && <span aria-hidden="true">↻ </span>}
      {text}
    </div>
  );
}
