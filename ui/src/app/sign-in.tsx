/** Signing in: with a token, or at a provider. */
import { type FormEvent, type ReactElement, useState } from "react";
import type { GetApiSessionResponse } from "../api/types.gen.ts";
import { toProblem } from "../client/problem.ts";
import { apiHref, request } from "../client/request.ts";
import { Button, buttonClass } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";
import { queryClient } from "./query-client.ts";

export default function SignIn({ session }: Readonly<{ session: GetApiSessionResponse }>): ReactElement {
  const { sign_in: ways, problem } = session;
  const returnTo = `${location.pathname}${location.search}`;
  return (
    <main className="flex h-full items-start justify-center overflow-y-auto p-4 pt-[12vh]">
      <div className="card flex w-full max-w-96 flex-col gap-4 p-6">
        <h1 className="text-page">Sign in to leat</h1>
        {problem !== null && (
          <p role="alert" className="text-failed">
            ✕ {problem}
          </p>
        )}
        {ways.oidc !== null && (
          <a href={apiHref("session/oidc", { return_to: returnTo })} className={buttonClass("primary")}>
            Sign in at {new URL(ways.oidc).host}
          </a>
        )}
        {ways.token && <TokenForm />}
        {ways.oidc === null && !ways.token && (
          <p className="text-muted">
            This server lets nobody sign in from here: a proxy in front of it does.
          </p>
        )}
      </div>
    </main>
  );
}

function TokenForm(): ReactElement {
  const [token, setToken] = useState("");
  const [name, setName] = useState("");
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await request("session", { method: "POST", body: { token, ...(name !== "" && { name }) } });
      await queryClient.resetQueries();
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
