/** Retries or cancels several runs, after saying how many. */
import { useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { PostApiRunsRetryResponse, Run } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { tellDone, tellFailure } from "../../components/toast.tsx";
import { plural } from "../../format/duration.ts";
import { shortId } from "./run-columns.tsx";

export type BulkDeed = "retry" | "cancel";

/** Runs that the dialog names; of more it tells the number. */
const namedMax = 20;

/** Refusals whose reasons are told. */
const refusalsTold = 5;

const ended = ["succeeded", "failed", "cancelled"];

/** Whether it can be done to this run, as it stands. A run that another began goes where that one goes. */
export const canDo = (deed: BulkDeed, { state, parent }: Pick<Run, "state" | "parent">): boolean =>
  parent === null &&
  (deed === "retry" ? ended.includes(state) : ["queued", "running", "waiting"].includes(state));

type Refusal = PostApiRunsRetryResponse["refusals"][number];

/** Does it in one request. @returns how many it was done to, and the first of those that refused, with the reason. */
async function doAll(
  deed: BulkDeed,
  runs: readonly Run[],
): Promise<Readonly<{ done: number; refused: number; refusals: readonly Refusal[] }>> {
  const { changed, refused, refusals } = await request<PostApiRunsRetryResponse>(`runs/${deed}`, {
    method: "POST",
    body: { ids: runs.map(({ id }) => id) },
  });
  return { done: sum(changed), refused: sum(refused), refusals };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, one) => all + one, 0);

export type BulkDialogProps = Readonly<{
  deed: BulkDeed;
  runs: readonly Run[];
  onClose: () => void;
  onDone: () => void;
}>;

export function BulkDialog({ deed, runs, onClose, onDone }: BulkDialogProps): ReactElement {
  const client = useQueryClient();
  const able = runs.filter((run) => canDo(deed, run));
  const verb = deed === "retry" ? "Retry" : "Cancel";
  const confirm = async (): Promise<void> => {
    const { done, refused, refusals } = await doAll(deed, able);
    await client.invalidateQueries({ queryKey: ["runs"] });
    if (done > 0) tellDone(`${plural(done, "run")} ${deed === "retry" ? "queued again" : "asked to stop"}`);
    if (refused > 0) {
      const told = refusals.slice(0, refusalsTold).map(({ id, message }) => `${shortId(id)}: ${message}`);
      tellFailure(`${plural(refused, "run")} could not be done`, new Error(told.join("; ")));
    }
    onDone();
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`${verb} ${plural(able.length, "run")}?`}
      deed={`${verb} ${plural(able.length, "run")}`}
      isDanger={deed === "cancel"}
      isDisabled={able.length === 0}
      onConfirm={confirm}
    >
      <p>
        {deed === "retry"
          ? `${able.length === 1 ? "It" : "Each"} is queued again as a new attempt; what is finished in it is not done again.`
          : "Those that wait end at once; those under way are asked to stop."}
      </p>
      {able.length < runs.length && (
        <p className="mt-2 text-attention">
          ! {plural(runs.length - able.length, "selected run")} cannot be{" "}
          {deed === "retry" ? "retried: not over yet" : "cancelled: over already"}, or begun by another run.
        </p>
      )}
      <ul className="mt-3 flex flex-col gap-1">
        {able.slice(0, namedMax).map((run) => (
          <li key={run.id} className="flex flex-wrap items-center gap-3">
            <StateBadge state={run.state} />
            {run.flow} <span className="font-mono text-meta text-muted">{shortId(run.id)}</span>
          </li>
        ))}
      </ul>
      {able.length > namedMax && <p className="text-muted">and {able.length - namedMax} more</p>}
    </ConfirmDialog>
  );
}
