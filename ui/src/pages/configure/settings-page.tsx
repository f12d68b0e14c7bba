/** What people choose for themselves, and what the project and this server are set up with. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { GetApiSettingsResponse } from "../../api/types.gen.ts";
import { setPreferences, usePreferences } from "../../app/preferences.ts";
import { Combobox } from "../../components/combobox.tsx";
import { ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useNow } from "../../components/use-now.ts";
import { plural } from "../../format/duration.ts";
import { browserZone, printInstant } from "../../format/instant.ts";
import { settingsQuery } from "./settings-query.ts";

const zones: readonly string[] = [
  "UTC",
  ...Intl.supportedValuesOf("timeZone").filter((one) => one !== "UTC"),
];

export function SettingsPage(): ReactElement {
  const { data, error, isPending, refetch } = useQuery(settingsQuery);
  return (
    <>
      <PageHeader title="Settings" />
      <div className="wide:grid-cols-2 grid items-start gap-4 px-4 pb-4">
        <Choices />
        <section className="card min-w-0 p-4">
          <h2 className="mb-1 text-section">Project and server</h2>
          <p className="mb-3 text-muted">Changed in the project's code and environment, and shown here.</p>
          {isPending ? (
            <LoadingState what="settings" />
          ) : data === undefined ? (
            <ErrorState error={error} onRetry={() => void refetch()} />
          ) : (
            <ServerFacts settings={data} />
          )}
        </section>
      </div>
    </>
  );
}

function Choices(): ReactElement {
  const { theme, density, zone } = usePreferences();
  const nowMs = useNow();
  return (
    <section className="card flex min-w-0 max-w-160 flex-col gap-4 p-4">
      <div>
        <h2 className="text-section">This browser</h2>
        <p className="text-muted">Kept here, and for you alone.</p>
      </div>
      <Choice
        name="Theme"
        value={theme}
        options={[
          ["system", "As the system"],
          ["light", "Light"],
          ["dark", "Dark"],
        ]}
        onChange={(next) => setPreferences({ theme: next })}
      />
      <Choice
        name="Density"
        value={density}
        options={[
          ["comfortable", "Comfortable"],
          ["compact", "Compact"],
        ]}
        onChange={(next) => setPreferences({ density: next })}
      />
      <div className="flex flex-col gap-1">
        <span className="font-semibold">Time zone</span>
        <Combobox
          label="Time zone"
          placeholder={`As the browser (${browserZone()})`}
          options={zones}
          value={zone}
          onChange={(next) => setPreferences({ zone: next })}
          noneText="No zone of this name."
        />
        <span className="text-meta text-muted">Now: {printInstant(nowMs)}</span>
      </div>
    </section>
  );
}

function Choice<Value extends string>({
  name,
  value,
  options,
  onChange,
}: Readonly<{
  name: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}>): ReactElement {
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="font-semibold">{name}</legend>
      <div className="flex flex-wrap gap-4">
        {options.map(([one, word]) => (
          <label key={one} className="inline-flex min-h-7 items-center gap-2">
            <input
              type="radio"
              name={name}
              checked={value === one}
              onChange={() => onChange(one)}
              className="size-4 accent-accent"
            />
            {word}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function ServerFacts({ settings }: Readonly<{ settings: GetApiSettingsResponse }>): ReactElement {
  const { sign_in: signIn } = settings;
  const ways: readonly ReactNode[] = [
    signIn.token && "a token",
    signIn.oidc !== null && `OpenID Connect at ${signIn.oidc}`,
    signIn.proxy && "Google's Identity-Aware Proxy",
  ].filter(Boolean);
  const code = (text: string): ReactElement => <code>{text}</code>;
  return (
    <KeyValue
      facts={[
        ["Project", settings.project],
        ["leat", settings.version],
        ["Project's code", code(settings.code_version)],
        ["Node", settings.node],
        ["Runs are kept", `${plural(settings.keep_days, "day")} after their end`],
        ["Tenants", `${settings.tenants}, told apart by the column ${settings.tenant_column}`],
        ["Landing", code(settings.landing)],
        ["Warehouse", code(settings.warehouse)],
        ["Ledger", code(settings.ledger)],
        ["Base path", code(settings.base_path === "" ? "/" : settings.base_path)],
        ["Public address", settings.public_url ?? "where it listens"],
        ["Sign-in", signIn.is_open ? "off: this machine alone reaches it" : ways.join(", ")],
        [
          "See also",
          <Link key="connections" to="/connections">
            Connections
          </Link>,
        ],
      ]}
    />
  );
}
