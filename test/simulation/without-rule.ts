/**
 * Takes a rule out of the real code while its modules are loaded, so that the simulator must find what the rule is for.
 *
 * The code under test knows nothing of this: a rule is a piece of a file's text, which must be there exactly once, and
 * what stands in its place. When the text is not found the run fails, so that a rule that was rewritten is noticed.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

type Removal = Readonly<{
  /** What is given up. */
  without: string;
  file: string;
  text: string;
  instead: string;
}>;

const removals: Readonly<Record<string, Removal>> = {
  "I3-future": {
    without: "values from the future do not move the cursor",
    file: "src/extract/range-plan.ts",
    text: "return !isTime(cursor) || (value <= time.t0 && value <= latestUs);",
    instead: "return true;",
  },
  "T0-request-time": {
    without: "T0 is the answer's date less the time that the request took",
    file: "src/extract/range-reader.ts",
    text: "Math.floor(dateMs - requestMs)",
    instead: "Math.floor(dateMs)",
  },
  "I4-lag": {
    without: "the next range begins `lag` below the cursor",
    file: "src/extract/range-plan.ts",
    text: "countedTo(state.cursor, range.end) - lag;",
    instead: "countedTo(state.cursor, range.end);",
  },
  "I5-boundary": {
    without: "what is equal to what was landed last is dropped",
    file: "src/extract/known-records.ts",
    text: "known !== undefined && content.equals(known.content)",
    instead: "known !== undefined && known.isOwn && content.equals(known.content)",
  },
  "I6-checkpoint": {
    without: "`next` stays at a checkpoint within a range",
    file: "src/extract/range-reader.ts",
    text: "spec.trustOrder ? runningNext(spec.cursor, moved, range) : partition.state.next",
    instead: "runningNext(spec.cursor, moved, range)",
  },
  "I8-exclusive-start": {
    without: "where the parameter is exclusive the start is one unit lower",
    file: "src/extract/range-plan.ts",
    text: "return range.isStartInclusive ? rounded : stepDown(rounded, range.startFormat, cursor.zone);",
    instead: "return rounded;",
  },
  "I8-rounding": {
    without: "starts are rounded down",
    file: "src/extract/range-plan.ts",
    text: "const rounded = roundDown(next, range.startFormat, cursor.zone);",
    instead: "const rounded = roundUp(next, range.startFormat, cursor.zone);",
  },
  "I9-own-run-id": {
    without: "who finds its own run id at its seq had succeeded",
    file: "src/landing/log.ts",
    text: "if (found.manifest.runId === manifest.runId && found.hash === ours.hash) break;",
    instead: "",
  },
  "I9-owner": {
    without: "who finds another's run id at its seq has changed nothing",
    file: "src/landing/log.ts",
    text: "found.manifest.runId === manifest.runId && found.hash === ours.hash",
    instead: "found !== undefined",
  },
  "I11-ledger": {
    without: "a package in the ledger is not loaded again",
    file: "src/testing/memory-warehouse.ts",
    text: "return false; // It is here already.",
    instead: "return true;",
  },
  "I12-alone": {
    without: "a generation starts without what others have landed",
    file: "src/extract/extract-progress.ts",
    text: "this.isRefresh ? new Boundary() : state.boundary",
    instead: "state.boundary",
  },
  "I12-visibility": {
    without: "a completed generation hides the ones before",
    file: "src/load/plan-load.ts",
    text: "{ head, completesGeneration: true }",
    instead: "{ head, completesGeneration: false }",
  },
  "I15-next-seq": {
    without: "files of the next seq are not garbage",
    file: "src/landing/collect-garbage.ts",
    text: "if (seq > headSeq) {",
    instead: "if (seq > headSeq + 1) {",
  },
  "I16-overlap": {
    without: "a page that does not begin where its predecessor ended is not taken",
    file: "src/extract/range-lander.ts",
    text: "if (found.anchor < 0) {",
    instead: "if (found.anchor < -1) {",
  },
  "I16-passes": {
    without: "two passes must agree",
    file: "src/extract/range-reader.ts",
    text: 'spec.stability !== "passes" || lander.pages <= 1 || lander.fingerprint === fingerprint',
    instead: "true",
  },
  "I17-final": {
    without: "a key is done only when its run has ended",
    file: "src/extract/extract-run.ts",
    text: "facts.isFinal ? job.idempotencyKey : undefined",
    instead: "job.idempotencyKey",
  },
};

/** The rules that can be taken out. */
export const removableRules: readonly string[] = Object.keys(removals);

/** Takes a rule out of modules that are loaded from now on. */
export function takeOut(name: string): void {
  const removal = removals[name];
  if (removal === undefined)
    throw new Error(`there is no rule "${name}"; there are ${removableRules.join(", ")}`);
  const url = new URL(`../../${removal.file}`, import.meta.url);
  const count = readFileSync(url, "utf8").split(removal.text).length - 1;
  if (count !== 1) throw new Error(`${removal.file} has the text of rule ${name} ${count} times, not once`);
  registerHooks({
    load(target, context, nextLoad) {
      const loaded = nextLoad(target, context);
      if (target !== url.href) return loaded;
      const source = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
      return { ...loaded, source: source.replace(removal.text, () => removal.instead) };
    },
  });
}
