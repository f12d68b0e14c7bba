/**
 * Tells of columns that loads have added or widened, by events of the kind `stream.schema`.
 *
 * What is new is what the table has and the events do not say yet. So a load that died before it told, or another command,
 * is made up for by the next load of a flow, and two at once tell of a change once.
 */
import type { FlowRunId } from "../model/run-ids.ts";
import type { FlowEvent } from "../model/run-record.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { SchemaChange, Warehouse } from "../ports/warehouse.ts";

const kind = "stream.schema";

/** Events of one request to the ledger. */
const eventsPerPage = 1000;

/** What a load of a stream is about. */
export type LoadedStream = Readonly<{
  /** `source.stream`. */
  name: string;
  spec: StreamSpec;
  runId: FlowRunId;
  /** What the load says itself: of what it left out, and renamed, no table tells. */
  changes: readonly SchemaChange[];
}>;

export async function tellSchema(
  ledger: Ledger,
  warehouse: Pick<Warehouse, "readColumns">,
  { name: subject, spec, runId, changes }: LoadedStream,
): Promise<void> {
  const tell = async ({ column, from, to }: SchemaChange, after: number | string): Promise<void> => {
    const data = { column, from: from ?? null, to };
    const dedupKey = `${kind}:${JSON.stringify([subject, column, to, after])}`;
    await ledger.appendEvent({ kind, subject, runId, data, dedupKey });
  };
  for (const change of changes) {
    if (isDiscarded(change.to)) await tell(change, "once");
    if (isRename(change.from)) await tell(change, change.to);
  }
  const columns = (await warehouse.readColumns?.(spec)) ?? [];
  const told = foldTold(await listTold(ledger, subject));
  for (const { name: column, type: to } of columns) {
    const before = told.get(column);
    if (before?.type !== to) await tell({ column, from: before?.type, to }, before?.eventId ?? 0);
  }
}

const isDiscarded = (to: unknown): boolean => to === "discarded";
const isRename = (from: unknown): boolean => from === "name";

async function listTold(ledger: Ledger, subject: string): Promise<readonly FlowEvent[]> {
  const told: FlowEvent[] = [];
  for (;;) {
    const afterId = told.at(-1)?.id;
    const page = await ledger.listEvents({ kinds: [kind], subject, afterId, limit: eventsPerPage });
    told.push(...page);
    if (page.length < eventsPerPage) return told;
  }
}

/** The columns as the events have told them, each with the event that did so last. */
function foldTold(
  events: readonly FlowEvent[],
): ReadonlyMap<string, Readonly<{ type: string; eventId: number }>> {
  const told = new Map<string, Readonly<{ type: string; eventId: number }>>();
  for (const { id: eventId, data } of events) {
    const { column, from, to } = data;
    if (typeof column !== "string" || isDiscarded(to)) continue;
    if (isRename(from)) {
      const type = told.get(column)?.type ?? "";
      told.delete(column);
      told.set(String(to).slice("name ".length), { type, eventId });
    } else told.set(column, { type: String(to), eventId });
  }
  return told;
}
