/** Sets a secret. What is typed is sent once and kept nowhere on the page. */
import { type FormEvent, type ReactElement, useRef, useState } from "react";
import type { PutApiSecretsByNameResponse } from "../../api/types.gen.ts";
import { type Problem, toProblem } from "../../client/problem.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, fieldClass, TextField } from "../../components/field.tsx";
import { tellDone } from "../../components/toast.tsx";

export type SecretDialogProps = Readonly<{
  /** The secret that gets another value; `undefined`: a new one. */
  name: string | undefined;
  /** Names that have a value. */
  taken: readonly string[];
  onClose: () => void;
  onDone: () => void;
}>;

export function SecretDialog({ name: given, taken, onClose, onDone }: SecretDialogProps): ReactElement {
  const [typed, setTyped] = useState(given ?? "");
  const [faults, setFaults] = useState<Readonly<Record<string, string>>>({});
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  // Not state: what is drawn again would hold it longer.
  const value = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const name = typed.trim();
  const isReplaced = given === undefined && taken.includes(name);

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const text = value.current?.value ?? "";
    const found = {
      ...(!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && {
        name: "Letters, digits and _, not beginning with a digit.",
      }),
      ...(text === "" && { value: "Type the value." }),
    };
    setFaults(found);
    setProblem(undefined);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
      return;
    }
    setBusy(true);
    try {
      const path = `secrets/${encodeURIComponent(name)}`;
      const done = await request<PutApiSecretsByNameResponse>(path, { method: "PUT", body: { value: text } });
      if (value.current !== null) value.current.value = "";
      tellDone(
        done.outcome === "created" ? "The secret is saved" : "The secret is replaced",
        `Refer to it as ${done.reference}.`,
      );
      onDone();
      onClose();
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={given === undefined ? "New secret" : `Replace ${given}`}
      about="Written to the project's .env. Runs that begin from now on have it; nobody can read it here again."
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button
            look={given === undefined && !isReplaced ? "primary" : "danger"}
            type="submit"
            form="secret-form"
            disabled={isBusy}
          >
            {given === undefined && !isReplaced ? "Save" : "Replace"}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        id="secret-form"
        noValidate
        onSubmit={(event) => void save(event)}
        className="flex flex-col gap-4"
      >
        {problem !== undefined && (
          <div role="alert" className="rounded-control border border-failed p-3">
            <p className="font-semibold text-failed">✕ {problem.message}</p>
            {problem.hint !== undefined && <p className="text-muted">{problem.hint}</p>}
          </div>
        )}
        {given === undefined && (
          <TextField
            label="Name"
            about={
              isReplaced
                ? "! There is one of this name: its value is replaced."
                : "Such as SHOP_API_KEY; sources refer to it as env:SHOP_API_KEY."
            }
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            fault={faults["name"]}
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
          />
        )}
        <Field label="Value" fault={faults["value"]}>
          {(control) => (
            <input
              {...control}
              ref={value}
              type="password"
              autoComplete="new-password"
              className={`${fieldClass} font-mono`}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
