/** Signing in: with a token, or at a provider. */
import { type FormEvent, type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import type { GetApiSessionResponse, PostApiSessionResponse } from "../api/types.gen.ts";
import { toProblem } from "../client/problem.ts";
import { sessionQuery } from "../client/queries.ts";
import { apiHref, request } from "../client/request.ts";
import { Button, buttonClass } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";
import { queryClient } from "./query-client.ts";

export type SignInProps = Readonly<{
  session: GetApiSessionResponse;
  /** Who was signed in until now: their page stays as it is below, and is shown again to them alone. */
  before?: string | undefined;
}>;

export default function SignIn({ session, before }: SignInProps): ReactElement {
  const { sign_in: ways, problem } = session;
  const returnTo = `${location.pathname}${location.search}`;
  const isAgain = before !== undefined;
  const card = (
    <div className="card flex w-full max-w-96 flex-col gap-4 p-6">
      <h1 id="sign-in" className="text-page">
        {isAgain ? "Your session is over" : "Sign in to leat"}
      </h1>
      {isAgain && <p>Sign in again to go on where you were. What you have typed is kept.</p>}
      {problem !== null && !isAgain && (
        <p role="alert" className="text-failed">
          ✕ {problem}
        </p>
      )}
      {ways.oidc !== null && (
        <a
          href={apiHref("session/oidc", { return_to: returnTo })}
          // Beside a page that is to be kept.
          target={isAgain ? "_blank" : undefined}
          rel="noreferrer"
          className={buttonClass("primary")}
        >
          Sign in at {new URL(ways.oidc).host}
        </a>
      )}
      {ways.token && <TokenForm before={before} />}
      {ways.oidc === null && !ways.token && (
        <p className="text-muted">This server lets nobody sign in from here: a proxy in front of it does.</p>
      )}
    </div>
  );
  if (isAgain) return <Above>{card}</Above>;
  return <main className="flex h-full items-start justify-center overflow-y-auto p-4 pt-[12vh]">{card}</main>;
}

/** Covers the page and every dialog of it, whose focus would else be held there. */
function Above({ children }: Readonly<{ children: ReactNode }>): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // Who has signed in beside it comes back to it.
    const look = (): void => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, []);
  return createPortal(
    <dialog
      ref={dialog}
      aria-labelledby="sign-in"
      onCancel={(event) => event.preventDefault()}
      onClose={() => dialog.current?.showModal()} // Browsers close it at the second Escape whatever they are told.
      onKeyDown={(event) => event.key === "Escape" && event.stopPropagation()} // Nor are those below to close.
      className="m-auto mt-[12vh] w-full max-w-96 bg-transparent p-0 text-text backdrop:bg-bg"
    >
      {children}
    </dialog>,
    document.body, // All that a dialog of the page stands above is hidden from assistive technology.
  );
}

function TokenForm({ before }: Readonly<{ before: string | undefined }>): ReactElement {
  const [token, setToken] = useState("");
  const [name, setName] = useState(before ?? "");
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      const body = { token, ...(name !== "" && { name }) };
      const { user } = await request<PostApiSessionResponse>("session", { method: "POST", body });
      if (before === undefined) await queryClient.resetQueries();
      else if (user === before) await queryClient.invalidateQueries();
      else location.reload(); // The page below is not theirs.
    } catch (error) {
      setFault(toProblem(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
      <TextField
        label="Token"
        type="password"
        autoComplete="current-password"
        required
        value={token}
        onChange={(event) => setToken(event.target.value)}
        fault={fault}
        about="What `leat up` was given as LEAT_TOKEN."
      />
      <TextField
        label="Your name"
        autoComplete="username"
        value={name}
        onChange={(event) => setName(event.target.value)}
        about="For the record of who changed what."
      />
      <Button type="submit" look="primary" disabled={isBusy}>
        Sign in
      </Button>
    </form>
  );
}
