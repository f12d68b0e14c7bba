/** Pausing, resuming with a choice of what was missed, and making up for the past. */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import type { PostApiSchedulesByIdBackfillResponse, Schedule } from "../../api/types.gen.ts";
import { toProblem } from "../../client/problem.ts";
import { request } from "../../client/request.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Field, fieldClass } from "../../components/field.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { tellDone } from "../../components/toast.tsx";
import { plural } from "../../format/duration.ts";
import { printInstant } from "../../format/instant.ts";
import { printTicks } from "./print-ticks.ts";

export type ScheduleDeed = "pause" | "resume" | "backfill";

type DialogProps = Readonly<{ schedule: Schedule; onClose: () => void; onDone: () => Promise<void> }>;

const pathOf = (schedule: Schedule, verb: string): string =>
  `schedules/${encodeURIComponent(schedule.id)}/${verb}`;

const post = <Answer,>(schedule: Schedule, verb: string, body?: unknown): Promise<Answer> =>
  request<Answer>(pathOf(schedule, verb), { method: "POST", ...(body !== undefined && { body }) });

export function ScheduleDialogs({
  act,
  onClose,
}: Readonly<{
  act: Readonly<{ deed: ScheduleDeed; schedule: Schedule }>;
  onClose: () => void;
}>): ReactElement {
  const client = useQueryClient();
  const onDone = async (): Promise<void> => {
    await Promise.all(
      ["schedules", "home", "runs"].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
  };
  const props = { schedule: act.schedule, onClose, onDone };
  switch (act.deed) {
    case "pause":
      return <PauseDialog {...props} />;
    case "resume":
      return <ResumeDialog {...props} />;
    case "backfill":
      return <BackfillDialog {...props} />;
  }
}

function PauseDialog({ schedule, onClose, onDone }: DialogProps): ReactElement {
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Pause ${schedule.id}?`}
      deed="Pause"
      onConfirm={async () => {
        await post(schedule, "pause");
        tellDone(`${schedule.id} is paused`);
        await onDone();
      }}
    >
      <p>It makes no runs until somebody resumes it. Runs under way go on.</p>
      {schedule.next[0] !== undefined && (
        <p className="mt-2 text-muted">
          Its next fire, <TimeText at={schedule.next[0]} />, will not be.
        </p>
      )}
    </ConfirmDialog>
  );
}

function ResumeDialog({ schedule, onClose, onDone }: DialogProps): ReactElement {
  const [isMissedRun, setMissedRun] = useState(false);
  const { missed } = schedule;
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Resume ${schedule.id}?`}
      deed={isMissedRun ? `Resume and run ${missed} missed` : "Resume"}
      onConfirm={async () => {
        if (isMissedRun) {
          // A tick that got its run in the meantime gets no second one.
          const from = new Date(Date.parse(schedule.handled_to) + 1).toISOString();
          await post<PostApiSchedulesByIdBackfillResponse>(schedule, "backfill", { from });
        }
        await post(schedule, "resume");
        tellDone(
          `${schedule.id} is active again`,
          isMissedRun ? `${plural(missed, "run")} queued` : undefined,
        );
        await onDone();
      }}
    >
      {missed === 0 ? (
        <p>No tick was missed. It goes on with the next one.</p>
      ) : (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-2">
            {plural(missed, "tick was", "ticks were")} missed since{" "}
            {printInstant(Date.parse(schedule.handled_to))}.
          </legend>
          <label className="flex items-center gap-2">
            <input
              type="radio"
              name="missed"
              checked={!isMissedRun}
              onChange={() => setMissedRun(false)}
              className="size-4 accent-accent"
            />
            Skip them
          </label>
          <label className="flex items-center gap-2">
            <input
              type="radio"
              name="missed"
              checked={isMissedRun}
              onChange={() => setMissedRun(true)}
              className="size-4 accent-accent"
            />
            Run them now: {plural(missed, "run")}
          </label>
        </fieldset>
      )}
    </ConfirmDialog>
  );
}

/** What a field for local time holds: no zone, minutes. */
const toLocal = (atMs: number): string => {
  const at = new Date(atMs);
  return new Date(atMs - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

const dayMs = 86_400_000;

function BackfillDialog({ schedule, onClose, onDone }: DialogProps): ReactElement {
  const [from, setFrom] = useState(() => toLocal(Date.now() - dayMs));
  const [to, setTo] = useState(() => toLocal(Date.now()));
  const [isAgain, setAgain] = useState(false);
  const [fault, setFault] = useState<string>();
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Backfill ${schedule.id}`}
      deed="Queue runs"
      isDisabled={from === "" || to === "" || from >= to}
      onConfirm={async () => {
        setFault(undefined);
        try {
          const { runs } = await post<PostApiSchedulesByIdBackfillResponse>(schedule, "backfill", {
            from: new Date(from).toISOString(),
            to: new Date(to).toISOString(),
            again: isAgain,
          });
          const made = runs.filter(({ outcome }) => outcome === "created").length;
          tellDone(
            `${plural(made, "run")} queued`,
            made < runs.length ? `${plural(runs.length - made, "tick")} had a run already` : undefined,
          );
          await onDone();
        } catch (error) {
          setFault(toProblem(error).message);
          throw error;
        }
      }}
    >
      <p className="mb-3 text-muted">
        A run for each tick of {printTicks(schedule.ticks)} in this span of your local time.
      </p>
      <div className="flex flex-wrap gap-4">
        <Field label="From" fault={fault}>
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              value={from}
              onChange={(event) => setFrom(event.target.value)}
              className={fieldClass}
            />
          )}
        </Field>
        <Field label="To" fault={from >= to ? "is not after the beginning" : undefined}>
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              value={to}
              onChange={(event) => setTo(event.target.value)}
              className={fieldClass}
            />
          )}
        </Field>
      </div>
      <label className="mt-3 flex items-center gap-2">
        <input
          type="checkbox"
          checked={isAgain}
          onChange={(event) => setAgain(event.target.checked)}
          className="size-4 accent-accent"
        />
        Also ticks that have their run already
      </label>
    </ConfirmDialog>
  );
}
