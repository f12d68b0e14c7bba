/** What a run shows to people. */
import { LeatError } from "../errors/leat-error.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { ArtifactKind } from "../model/run-record.ts";
import { type Attempt, refuseFenced } from "./attempt.ts";
import { encodeValue } from "./encode-value.ts";
import type { ArtifactWriter } from "./flow-context.ts";

/** Characters of one artifact as JSON, rows of a table, and length of a name: a page that a person looks at. */
const artifactLengthMax = 1024 * 1024;
const tableRowsMax = 1000;
const nameLengthMax = 200;

/** How often the ledger hears of progress, ms. */
const progressMs = 1000;

/** A writer for a task, or for the flow itself. */
export function createArtifactWriter(attempt: Attempt, taskKey: string | null): ArtifactWriter {
  const { world } = attempt;
  const toldMs = new Map<string, number>();
  const save = (name: string, kind: ArtifactKind, data: unknown): Promise<void> =>
    attempt.room.work(async () => {
      const artifact = { name: checkName(name), kind, taskKey, data: checkData(attempt, name, data) };
      refuseFenced(attempt, await world.ledger.saveArtifact(attempt.fence, artifact));
    });
  return {
    async table(name, rows) {
      if (rows.length > tableRowsMax) {
        throw new LeatError("VALUE_TOO_LARGE", {
          message: `The table "${name}" has ${rows.length} rows; ${tableRowsMax} are shown.`,
          hint: "Show the first of them and say how many there are, or publish a dataset.",
        });
      }
      await save(name, "table", rows);
    },
    markdown: (name, text) => save(name, "markdown", text),
    async link(name, url, label) {
      if (!URL.canParse(url)) {
        throw new LeatError("FLOW_MISUSED", {
          message: `The link "${name}" leads to ${JSON.stringify(url)}, which is no URL.`,
        });
      }
      await save(name, "link", { url, label: label ?? name });
    },
    async progress(name, done, total) {
      world.tell({ type: "progress", runId: attempt.run.id, name, done, total });
      const nowMs = world.clock.nowMs();
      const isSoon = nowMs - (toldMs.get(name) ?? Number.NEGATIVE_INFINITY) < progressMs;
      if (isSoon && done < total) return;
      toldMs.set(name, nowMs);
      await save(name, "progress", { done, total });
    },
  };
}

function checkName(name: string): string {
  if (name !== "" && name.length <= nameLengthMax && name.isWellFormed()) return name;
  throw new LeatError("FLOW_MISUSED", {
    message: `An artifact's name must have 1 to ${nameLengthMax} characters; this is ${JSON.stringify(name.slice(0, 80))}.`,
  });
}

function checkData(attempt: Attempt, name: string, data: unknown): JsonValue {
  const text = encodeValue(data, `The artifact "${name}"`) ?? "null";
  if (text.length > artifactLengthMax) {
    throw new LeatError("VALUE_TOO_LARGE", {
      message: `The artifact "${name}" is ${text.length} characters of JSON; ${artifactLengthMax} are shown.`,
    });
  }
  return JSON.parse(attempt.world.redact(text)) as JsonValue; // What was encoded is JSON.
}
