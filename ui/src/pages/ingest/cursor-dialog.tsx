/** Sets where the next range of a stream and tenant begins: with what it was, what it would be, and what that does. */
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactElement, type ReactNode, useRef, useState } from "react";
import type { PutApiStreamsByIdTenantsByTenantCursorResponse } from "../../api/types.gen.ts";
import { type Problem, toProblem } from "../../client/problem.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, fieldClass, TextField } from "../../components/field.tsx";
import { Select } from "../../components/select.tsx";
import { tellDone } from "../../components/toast.tsx";
import { printDuration } from "../../format/duration.ts";
import type { Endpoint } from "./ingest-queries.ts";

const dayMs = 86_400_000;

/** Where people set it back to most. */
const picks = [
  { name: "Yesterday", days: 1 },
  { name: "7 days ago", days: 7 },
  { name: "30 days ago", days: 30 },
] as const;

const landedBefore = [
  { value: "missing", name: "Land only what is missing" },
  { value: "again", name: "Land everything again" },
] as const;

type Landed = (typeof landedBefore)[number]["value"];

export function CursorDialog({
  endpoint: shown,
  onClose,
}: Readonly<{ endpoint: Endpoint; onClose: () => void }>): ReactElement {
  // What people have seen is what they change: news that come meanwhile do not slip under it.
  const [endpoint, setEndpoint] = useState(shown);
  const [to, setTo] = useState("");
  const [isBeginning, setBeginning] = useState(false);
  const [why, setWhy] = useState("");
  const [landed, setLanded] = useState<Landed>("missing");
  const [confirm, setConfirm] = useState("");
  const [faults, setFaults] = useState<Readonly<Record<string, string>>>({});
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const client = useQueryClient();
  const old = endpoint.place?.next ?? endpoint.cursor?.initial ?? undefined;
  const isTimes = endpoint.cursor?.format !== "integer";
  const isMoved = problem?.status === 412;

  const tellFaults = (told: Readonly<Record<string, string>>): void => {
    setFaults(told);
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const missing = {
      ...(!isBeginning && to.trim() === "" && { to: "Say where the next range begins." }),
      ...(confirm !== endpoint.name &&
        confirm !== endpoint.stream && { confirm: `Type ${endpoint.name} to confirm.` }),
    };
    if (Object.keys(missing).length > 0) return tellFaults(missing);
    setBusy(true);
    setFaults({});
    setProblem(undefined);
    try {
      const { stream, tenant, seq } = endpoint;
      const path = `streams/${encodeURIComponent(stream)}/tenants/${encodeURIComponent(tenant)}/cursor`;
      const set = await request<PutApiStreamsByIdTenantsByTenantCursorResponse>(path, {
        method: "PUT",
        headers: { "if-match": `"${seq}"` },
        body: { to: isBeginning ? null : to.trim(), why, landed_before: landed, confirm },
      });
      await client.invalidateQueries({ predicate: ({ queryKey: [kind] }) => changed.includes(String(kind)) });
      tellDone("The cursor is set", `The next range begins at ${set.after.next ?? "the beginning"}.`);
      onClose();
    } catch (error) {
      const told = toProblem(error);
      if (told.faults.length > 0)
        tellFaults(Object.fromEntries(told.faults.map((one) => [one.path, one.problem])));
      else setProblem(told);
      if (told.status === 412) await client.invalidateQueries({ queryKey: ["endpoint"] });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Set the cursor of ${endpoint.stream}`}
      about={`Tenant ${endpoint.tenant}`}
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button look="danger" type="submit" form="cursor-form" disabled={isBusy || isMoved}>
            Save
          </Button>
        </>
      }
    >
      <form
        ref={form}
        id="cursor-form"
        noValidate
        onSubmit={(event) => void save(event)}
        className="flex flex-col gap-4"
      >
        {problem !== undefined && (
          <Refused problem={problem}>
            {isMoved && (
              <Button
                onClick={() => {
                  setEndpoint(shown);
                  setProblem(undefined);
                }}
              >
                Show the new value
              </Button>
            )}
          </Refused>
        )}
        <div className="flex flex-col gap-2">
          <TextField
            label="New beginning of the next range"
            about={isTimes ? "Such as 2026-01-31 or 2026-01-31T14:00:00Z." : "A number."}
            value={isBeginning ? "" : to}
            placeholder={isBeginning ? "the beginning" : (old ?? "")}
            onChange={(event) => {
              setTo(event.target.value);
              setBeginning(false);
            }}
            fault={faults["to"]}
            spellCheck={false}
            autoComplete="off"
            className="font-mono"
          />
          <div className="flex flex-wrap gap-2">
            {isTimes &&
              picks.map(({ name, days }) => (
                <Button
                  key={name}
                  onClick={() => {
                    setTo(new Date(Date.now() - days * dayMs).toISOString());
                    setBeginning(false);
                  }}
                >
                  {name}
                </Button>
              ))}
            <Button onClick={() => setBeginning(true)} aria-pressed={isBeginning}>
              From the beginning
            </Button>
          </div>
        </div>
        <Change old={old} to={isBeginning ? null : to.trim()} landed={landed} />
        <Field label="What was landed before">
          {({ id }) => (
            <Select
              id={id}
              label="What was landed before"
              isLabelHidden
              options={landedBefore}
              value={landed}
              onChange={(value) => setLanded(value === "again" ? "again" : "missing")}
            />
          )}
        </Field>
        <TextField
          label="Why"
          about="For those who read the history."
          value={why}
          onChange={(event) => setWhy(event.target.value)}
          maxLength={1000}
        />
        <Field label={`Type ${endpoint.name} to confirm`} fault={faults["confirm"]}>
          {(control) => (
            <input
              {...control}
              value={confirm}
              onChange={(event) => setConfirm(event.target.value)}
              autoComplete="off"
              spellCheck={false}
              className={fieldClass}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}

/** Answers that a new cursor makes old. */
const changed = ["endpoint", "packages", "tree", "home", "events", "files"];

/** What it was, what it would be, and what comes of it. */
function Change({
  old,
  to,
  landed,
}: Readonly<{ old: string | undefined; to: string | null; landed: Landed }>): ReactElement {
  const [oldMs, newMs] = [Date.parse(old ?? ""), Date.parse(to ?? "")];
  const spanMs = newMs - oldMs;
  return (
    <div className="rounded-control border border-attention p-3">
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-3">
        <dt className="text-muted">Old</dt>
        <dd className="font-mono text-log [overflow-wrap:anywhere]">{old ?? "the beginning"}</dd>
        <dt className="text-muted">New</dt>
        <dd className="font-mono text-log [overflow-wrap:anywhere]">
          {to === null ? "the beginning" : to || "–"}
        </dd>
      </dl>
      <p className="mt-2 text-attention">
        {"! "}
        {spanMs > 0
          ? `Forward by ${printDuration(spanMs)}: what changed at the source in between is not read, and may be missing for good.`
          : `${to === null ? "Everything" : Number.isNaN(spanMs) ? "What lies between" : `The ${printDuration(-spanMs)} between`} is fetched again at the next run. ${
              landed === "again"
                ? "Every record is landed a second time, also where it is equal to what is there."
                : "Records equal to what is landed are dropped."
            }`}
      </p>
    </div>
  );
}

/** Why nothing was changed. */
function Refused({ problem, children }: Readonly<{ problem: Problem; children: ReactNode }>): ReactElement {
  const run = problem.details["run"];
  return (
    <div role="alert" className="rounded-control border border-failed p-3">
      <p className="font-semibold text-failed">✕ {problem.message}</p>
      {problem.hint !== undefined && <p className="text-muted">{problem.hint}</p>}
      {typeof run === "string" && (
        <p>
          <Link to="/runs/$id" params={{ id: run }}>
            See the run
          </Link>
        </p>
      )}
      {children}
    </div>
  );
}
