/** Makes a rule: when something is late or fails, somebody is told. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactElement, useState } from "react";
import type { GetApiStreamsResponse } from "../../api/types.gen.ts";
import { type Problem, toProblem } from "../../client/problem.ts";
import { deploymentsQuery, tenantsQuery } from "../../client/queries.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, fieldClass, TextField } from "../../components/field.tsx";
import { tellDone } from "../../components/toast.tsx";

type Form = Readonly<{
  name: string;
  on: "late" | "failed";
  stream: string;
  tenant: string;
  minutes: string;
  deployment: string;
  to: "slack" | "webhook" | "mail";
  url: string;
  smtp: string;
  from: string;
  recipients: string;
}>;

const empty: Form = {
  name: "",
  on: "late",
  stream: "",
  tenant: "",
  minutes: "60",
  deployment: "",
  to: "slack",
  url: "",
  smtp: "",
  from: "",
  recipients: "",
};

/** The rule as the API takes it; what is wrong with it, the server says. */
function toBody(form: Form): unknown {
  const when =
    form.on === "late"
      ? {
          on: "late",
          ...(form.stream !== "" && { stream: form.stream }),
          tenant: form.tenant || null,
          ...(form.minutes !== "" && { after_minutes: Number(form.minutes) }),
        }
      : { on: "failed", deployment: form.deployment || null };
  const target =
    form.to === "mail"
      ? {
          to: "mail",
          smtp: form.smtp,
          from: form.from,
          recipients: form.recipients
            .split(",")
            .map((one) => one.trim())
            .filter(Boolean),
        }
      : { to: form.to, url: form.url };
  return { name: form.name, when, target };
}

const faultOf = (problem: Problem | undefined, path: string): string | undefined =>
  problem?.faults.find(
    (one) => one.path === path || one.path === `body.${path}` || one.path.startsWith(`${path}.`),
  )?.problem;

export function RuleDialog({ onClose }: Readonly<{ onClose: () => void }>): ReactElement {
  const client = useQueryClient();
  const { data: deployments } = useQuery(deploymentsQuery);
  const { data: tenants } = useQuery(tenantsQuery);
  const { data: streams } = useQuery({
    queryKey: ["streams"],
    queryFn: async ({ signal }) =>
      (await request<GetApiStreamsResponse>("streams", { signal })).streams.map(({ stream }) => stream),
  });
  const [form, setForm] = useState(empty);
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const change = (changed: Partial<Form>): void => setForm((before) => ({ ...before, ...changed }));
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await request("alerts", { method: "POST", body: toBody(form) });
      await client.invalidateQueries({ queryKey: ["alerts"] });
      tellDone(`The rule "${form.name}" is made`);
      onClose();
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const choice = (
    label: string,
    value: string,
    options: readonly (readonly [value: string, name: string])[],
    onChange: (value: string) => void,
    path: string,
  ): ReactElement => (
    <Field label={label} fault={faultOf(problem, path)}>
      {(control) => (
        <select
          {...control}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={fieldClass}
        >
          {options.map(([own, name]) => (
            <option key={own} value={own}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  const named = (names: readonly string[] | undefined): readonly (readonly [string, string])[] =>
    (names ?? []).map((name) => [name, name] as const);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="New rule"
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" form="rule-form" look="primary" disabled={isBusy}>
            Make the rule
          </Button>
        </>
      }
    >
      <form
        id="rule-form"
        noValidate
        onSubmit={(event) => void submit(event)}
        className="flex flex-col gap-4"
      >
        {problem !== undefined && (
          <p role="alert" className="text-failed [overflow-wrap:anywhere]">
            ✕ {problem.message} {problem.hint}
          </p>
        )}
        <TextField
          label="Name"
          isRequired
          value={form.name}
          maxLength={200}
          onChange={(event) => change({ name: event.target.value })}
          fault={faultOf(problem, "name")}
        />
        {choice(
          "When",
          form.on,
          [
            ["late", "a stream is late"],
            ["failed", "a deployment fails"],
          ],
          (on) => change({ on: on === "failed" ? "failed" : "late" }),
          "when.on",
        )}
        {form.on === "late" ? (
          <>
            {choice(
              "Stream",
              form.stream,
              [["", "Choose …"], ...named(streams)],
              (stream) => change({ stream }),
              "when.stream",
            )}
            {choice(
              "Tenant",
              form.tenant,
              [["", "every tenant"], ...named(tenants)],
              (tenant) => change({ tenant }),
              "when.tenant",
            )}
            <TextField
              label="Late by, minutes"
              inputMode="numeric"
              value={form.minutes}
              onChange={(event) => change({ minutes: event.target.value })}
              fault={faultOf(problem, "when.after_minutes")}
            />
          </>
        ) : (
          choice(
            "Deployment",
            form.deployment,
            [["", "every deployment"], ...named(deployments?.map(({ name }) => name))],
            (deployment) => change({ deployment }),
            "when.deployment",
          )
        )}
        {choice(
          "Tell",
          form.to,
          [
            ["slack", "Slack"],
            ["webhook", "a webhook"],
            ["mail", "by mail"],
          ],
          (to) => change({ to: to === "mail" ? "mail" : to === "webhook" ? "webhook" : "slack" }),
          "target.to",
        )}
        {form.to === "mail" ? (
          <>
            <TextField
              label="Mail server"
              about="The name of a secret that holds it: env:SMTP_URL, file:PATH."
              value={form.smtp}
              onChange={(event) => change({ smtp: event.target.value })}
              fault={faultOf(problem, "target.smtp")}
            />
            <TextField
              label="From"
              type="email"
              value={form.from}
              onChange={(event) => change({ from: event.target.value })}
              fault={faultOf(problem, "target.from")}
            />
            <TextField
              label="To"
              about="Addresses, with a comma between two."
              value={form.recipients}
              onChange={(event) => change({ recipients: event.target.value })}
              fault={faultOf(problem, "target.recipients")}
            />
          </>
        ) : (
          <TextField
            label="Address"
            about="The name of a secret that holds it, never the address itself: env:SLACK_URL, file:PATH."
            value={form.url}
            onChange={(event) => change({ url: event.target.value })}
            fault={faultOf(problem, "target.url")}
          />
        )}
      </form>
    </Dialog>
  );
}
