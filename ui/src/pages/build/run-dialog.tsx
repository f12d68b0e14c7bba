/** Runs a deployment: its parameters as a form, filled in. The server alone judges them; what it refuses stands by its field. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactElement, useMemo, useState } from "react";
import type { PostApiDeploymentsByIdRunsResponse } from "../../api/types.gen.ts";
import { type Problem, toProblem } from "../../client/problem.ts";
import { request } from "../../client/request.ts";
import { runQuery } from "../../client/run-queries.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { LoadingState } from "../../components/empty-state.tsx";
import { type FormTexts, prefill, readForm } from "../../components/schema-form/field-text.ts";
import { readFields } from "../../components/schema-form/read-schema.ts";
import { SchemaForm } from "../../components/schema-form/schema-form.tsx";
import { tellDone } from "../../components/toast.tsx";
import type { Deployment } from "./deployments-page.tsx";

type Faults = Readonly<Record<string, string>>;

/** Faults by the field they are of; those of none are told above the form. */
function spread(
  problem: Problem,
  names: readonly string[],
): Readonly<{ faults: Faults; rest: string | undefined }> {
  const faults: Record<string, string> = {};
  for (const { path, problem: what } of problem.faults) {
    const name = names.find(
      (one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`),
    );
    if (name !== undefined) faults[name] ??= path === name ? what : `${path.slice(name.length)}: ${what}`;
  }
  const isAllSaid = problem.faults.length > 0 && Object.keys(faults).length > 0;
  return { faults, rest: isAllSaid ? undefined : [problem.message, problem.hint].filter(Boolean).join(" ") };
}

export type RunDialogProps = Readonly<{
  deployment: Deployment;
  /** Begins with the parameters of this run. */
  fromRun: string | undefined;
  onClose: () => void;
}>;

export function RunDialog({ deployment, fromRun, onClose }: RunDialogProps): ReactElement {
  const from = useQuery({ ...runQuery(fromRun ?? ""), enabled: fromRun !== undefined });
  const isReady = fromRun === undefined || from.data !== undefined || from.error !== null;
  if (!isReady) {
    return (
      <Dialog isOpen onClose={onClose} title={`Run ${deployment.name}`}>
        <LoadingState what="the parameters of that run" />
      </Dialog>
    );
  }
  return (
    <ReadyDialog
      deployment={deployment}
      params={from.data?.run.params ?? deployment.params}
      onClose={onClose}
    />
  );
}

function ReadyDialog({
  deployment,
  params,
  onClose,
}: Readonly<{ deployment: Deployment; params: unknown; onClose: () => void }>): ReactElement {
  const client = useQueryClient();
  const navigate = useNavigate();
  const fields = useMemo(() => readFields(deployment.params_schema), [deployment.params_schema]);
  const [texts, setTexts] = useState<FormTexts>(() => prefill(fields, params));
  const [faults, setFaults] = useState<Faults>({});
  const [rest, setRest] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  const start = async (): Promise<void> => {
    const { values, faults: unread } = readForm(fields, texts);
    setRest(undefined);
    setFaults(unread);
    if (Object.keys(unread).length > 0) return;
    setBusy(true);
    try {
      const { run, outcome } = await request<PostApiDeploymentsByIdRunsResponse>(
        `deployments/${encodeURIComponent(deployment.name)}/runs`,
        { method: "POST", body: { params: values } },
      );
      await client.invalidateQueries({ queryKey: ["runs"] });
      if (outcome !== "created")
        tellDone(outcome === "skipped" ? "Skipped: its key is taken" : "Joined a run that waits");
      void navigate({ to: "/runs/$id", params: { id: run.id } });
    } catch (error) {
      const told = spread(
        toProblem(error),
        fields.map(({ name }) => name),
      );
      setFaults(told.faults);
      setRest(told.rest);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Run ${deployment.name}`}
      about={deployment.description}
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" form="run-form" look="primary" disabled={isBusy}>
            Start
          </Button>
        </>
      }
    >
      <form
        id="run-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        {rest !== undefined && (
          <p role="alert" className="mb-3 text-failed [overflow-wrap:anywhere]">
            ✕ {rest}
          </p>
        )}
        {fields.length === 0 ? (
          <p className="text-muted">This flow takes no parameters.</p>
        ) : (
          <SchemaForm fields={fields} texts={texts} onChange={setTexts} faults={faults} />
        )}
      </form>
    </Dialog>
  );
}
