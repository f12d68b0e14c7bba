/** Questions of a run that wait for somebody's answer. */
import { type ReactElement, useState } from "react";
import type { GetApiRunsByIdResponse, Task } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { tellDone, tellFailure } from "../../components/toast.tsx";

export function RunQuestions({
  detail,
  onAnswered,
}: Readonly<{ detail: GetApiRunsByIdResponse; onAnswered: () => void }>): ReactElement | null {
  const open = detail.tasks.filter(({ kind, state }) => kind === "approval" && state === "waiting");
  if (open.length === 0) return null;
  return (
    <ul className="mx-4 mb-3 flex flex-col gap-2">
      {open.map((task) => (
        <Question key={task.key} runId={detail.run.id} task={task} onAnswered={onAnswered} />
      ))}
    </ul>
  );
}

function Question({
  runId,
  task,
  onAnswered,
}: Readonly<{ runId: string; task: Task; onAnswered: () => void }>): ReactElement {
  const [note, setNote] = useState("");
  const [isBusy, setBusy] = useState(false);
  const answer = async (approve: boolean): Promise<void> => {
    setBusy(true);
    try {
      const body = { task: task.key, approve, ...(note !== "" && { note }) };
      await request(`runs/${encodeURIComponent(runId)}/answer`, { method: "POST", body });
      tellDone(approve ? "Approved" : "Refused");
      onAnswered();
    } catch (error) {
      tellFailure("The answer was not taken", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="card flex flex-wrap items-end gap-3 border-l-4 border-l-attention p-3">
      <div className="min-w-48 flex-1">
        <p className="font-semibold [overflow-wrap:anywhere]">
          <span className="text-attention">‖ </span>
          {task.name}
        </p>
        <p className="text-muted">
          The run waits for an answer, asked <TimeText at={task.opened_at} />.
        </p>
      </div>
      <TextField
        label="Note"
        value={note}
        onChange={(event) => setNote(event.target.value)}
        maxLength={2000}
      />
      <Button look="danger" disabled={isBusy} onClick={() => void answer(false)}>
        Refuse
      </Button>
      <Button look="primary" disabled={isBusy} onClick={() => void answer(true)}>
        Approve
      </Button>
    </li>
  );
}
