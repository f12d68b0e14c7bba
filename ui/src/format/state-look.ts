/** How a state looks: one of five classes of colour, a glyph and a word. Colour never stands alone. */

/** **state class** what a state means to whoever looks: also the name of its colour. */
export type StateClass = "neutral" | "running" | "succeeded" | "attention" | "failed";

export type StateLook = Readonly<{ word: string; glyph: string; look: StateClass }>;

const looks: Readonly<Record<string, StateLook>> = {
  scheduled: { word: "Scheduled", glyph: "◷", look: "neutral" },
  queued: { word: "Queued", glyph: "○", look: "neutral" },
  pending: { word: "Pending", glyph: "○", look: "neutral" },
  cancelled: { word: "Cancelled", glyph: "⊘", look: "neutral" },
  skipped: { word: "Skipped", glyph: "»", look: "neutral" },
  running: { word: "Running", glyph: "▶", look: "running" },
  cancelling: { word: "Cancelling", glyph: "⊘", look: "attention" },
  succeeded: { word: "Succeeded", glyph: "✓", look: "succeeded" },
  warning: { word: "Warning", glyph: "!", look: "attention" },
  waiting: { word: "Waiting", glyph: "‖", look: "attention" },
  retrying: { word: "Retrying", glyph: "↻", look: "attention" },
  paused: { word: "Paused", glyph: "‖", look: "attention" },
  failed: { word: "Failed", glyph: "✕", look: "failed" },
  // Where a stream stands.
  "on time": { word: "On time", glyph: "✓", look: "succeeded" },
  "on track": { word: "On track", glyph: "✓", look: "succeeded" },
  syncing: { word: "Syncing", glyph: "▶", look: "running" },
  late: { word: "Late", glyph: "!", look: "attention" },
  never: { word: "Never read", glyph: "○", look: "neutral" },
  unknown: { word: "Unknown", glyph: "?", look: "neutral" },
};

/** A state this console does not know, of a newer server, is shown by its own name. */
export function lookOf(state: string): StateLook {
  return looks[state.replaceAll("_", " ")] ?? { word: state, glyph: "?", look: "neutral" };
}

/** States of runs in the order in which people ask for them. */
export const runStatesShown: readonly string[] = [
  "queued",
  "running",
  "waiting",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "skipped",
];

/** Of several states, the one that tells most: a failure, then what needs people, then what is under way. */
export function worstOf(states: readonly string[]): string {
  const order: readonly StateClass[] = ["failed", "attention", "running", "neutral", "succeeded"];
  const rank = (state: string): number => order.indexOf(lookOf(state).look);
  return [...states].sort((one, other) => rank(one) - rank(other))[0] ?? "pending";
}

/** Classes of style for text of this class; written out, since styles are collected from the sources. */
export const inkOf: Readonly<Record<StateClass, string>> = {
  neutral: "text-neutral",
  running: "text-running",
  succeeded: "text-succeeded",
  attention: "text-attention",
  failed: "text-failed",
};

export const fillOf: Readonly<Record<StateClass, string>> = {
  neutral: "fill-neutral",
  running: "fill-running",
  succeeded: "fill-succeeded",
  attention: "fill-attention",
  failed: "fill-failed",
};

export const strokeOf: Readonly<Record<StateClass, string>> = {
  neutral: "stroke-neutral",
  running: "stroke-running",
  succeeded: "stroke-succeeded",
  attention: "stroke-attention",
  failed: "stroke-failed",
};

export const backOf: Readonly<Record<StateClass, string>> = {
  neutral: "bg-neutral",
  running: "bg-running",
  succeeded: "bg-succeeded",
  attention: "bg-attention",
  failed: "bg-failed",
};
