/** Alerts: what is the matter, by which rules, who is told, and what was told. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useState } from "react";
import type { GetApiAlertsHistoryResponse, GetApiAlertsResponse } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { tellDone, tellFailure } from "../../components/toast.tsx";
import { plural } from "../../format/duration.ts";
import { printTarget, printWhen, type Rule } from "./alert-words.ts";
import { EventList } from "./event-list.tsx";
import { RuleDialog } from "./rule-dialog.tsx";

const route = getRouteApi("/alerts");

/** How often the list is asked again, ms: a stream becomes late by time alone. */
const againMs = 30_000;

const historyMax = 200;

export function AlertsPage(): ReactElement {
  const { tab = "open" } = route.useSearch();
  const navigate = route.useNavigate();
  const [isMaking, setMaking] = useState(false);
  const {
    data: rules,
    error,
    refetch,
  } = useQuery({
    queryKey: ["alerts"],
    queryFn: async ({ signal }) => (await request<GetApiAlertsResponse>("alerts", { signal })).rules,
    refetchInterval: againMs,
  });
  const open = (rules ?? []).filter((rule) => rule.open.length > 0);
  return (
    <>
      <PageHeader
        title="Alerts"
        actions={
          <Button look="primary" onClick={() => setMaking(true)}>
            New rule …
          </Button>
        }
      />
      <Tabs
        label="Views of alerts"
        items={[
          { id: "open", name: "Open", count: open.reduce((sum, rule) => sum + rule.open.length, 0) },
          { id: "rules", name: "Rules", count: rules?.length ?? 0 },
          { id: "channels", name: "Channels" },
          { id: "history", name: "History" },
        ]}
        value={tab}
        onChange={(next) =>
          void navigate({
            search: { tab: next === "open" ? undefined : (next as typeof tab) },
            replace: true,
          })
        }
      >
        {rules === undefined ? (
          error === null ? (
            <LoadingState what="alerts" />
          ) : (
            <ErrorState error={error} onRetry={() => void refetch()} />
          )
        ) : (
          <>
            {tab === "open" && <Open rules={open} hasRules={rules.length > 0} />}
            {tab === "rules" && <Rules rules={rules} />}
            {tab === "channels" && <Channels rules={rules} />}
            {tab === "history" && <History rules={rules} />}
          </>
        )}
      </Tabs>
      {isMaking && <RuleDialog onClose={() => setMaking(false)} />}
    </>
  );
}

function Open({ rules, hasRules }: Readonly<{ rules: readonly Rule[]; hasRules: boolean }>): ReactElement {
  if (rules.length === 0) {
    return hasRules ? (
      <EmptyState kind="none" title="Nothing is the matter" />
    ) : (
      <EmptyState kind="none" title="No rules yet">
        Make one here, or declare <code>notify</code> of a deployment in code.
      </EmptyState>
    );
  }
  return (
    <ul className="p-4">
      {rules.flatMap((rule) =>
        rule.open.map(({ subject }) => (
          <li
            key={`${rule.id} ${subject}`}
            className="flex flex-wrap items-center gap-x-4 border-b border-line py-2"
          >
            <StateBadge
              state={rule.when.some(({ on }) => on === "late") && !rule.is_declared ? "late" : "failed"}
            />
            <span className="font-semibold [overflow-wrap:anywhere]">{subject}</span>
            <span className="text-muted">{rule.name}</span>
            <span className="text-muted">{printTarget(rule.target)}</span>
            {rule.is_declared && (
              <Link to="/runs" search={{ deployment: subject, state: ["failed"] }}>
                its failed runs
              </Link>
            )}
          </li>
        )),
      )}
    </ul>
  );
}

function Rules({ rules }: Readonly<{ rules: readonly Rule[] }>): ReactElement {
  const client = useQueryClient();
  const [removed, setRemoved] = useState<Rule>();
  if (rules.length === 0) {
    return (
      <EmptyState kind="none" title="No rules yet">
        Make one here, or declare <code>notify</code> of a deployment in code.
      </EmptyState>
    );
  }
  return (
    <>
      <ul className="p-4">
        {rules.map((rule) => (
          <li key={rule.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line py-2">
            <span className="min-w-40 font-semibold [overflow-wrap:anywhere]">{rule.name}</span>
            <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
              {rule.when.map(printWhen).join("; ")} → {printTarget(rule.target)}
            </span>
            <span className="text-muted">
              {rule.is_declared ? (
                "declared in code"
              ) : (
                <>
                  by {rule.created_by}, <TimeText at={rule.created_at} />
                </>
              )}
            </span>
            {!rule.is_declared && (
              <span className="flex gap-2">
                <TestButton rule={rule} />
                <Button look="danger" aria-label={`Remove ${rule.name}`} onClick={() => setRemoved(rule)}>
                  Remove …
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {removed !== undefined && (
        <ConfirmDialog
          isOpen
          onClose={() => setRemoved(undefined)}
          title={`Remove the rule "${removed.name}"?`}
          deed="Remove"
          isDanger
          onConfirm={async () => {
            await request(`alerts/${encodeURIComponent(removed.id)}`, { method: "DELETE" });
            tellDone(`The rule "${removed.name}" is removed`);
            await client.invalidateQueries({ queryKey: ["alerts"] });
          }}
        >
          <p>Nobody is told by it any more. What it has told stays in the history.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function TestButton({ rule }: Readonly<{ rule: Rule }>): ReactElement {
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const test = async (): Promise<void> => {
    setBusy(true);
    try {
      const { is_delivered: isDelivered, problem } = await request<{
        is_delivered: boolean;
        problem: string | null;
      }>(`alerts/${encodeURIComponent(rule.id)}/test`, { method: "POST" });
      if (isDelivered) tellDone("The test was delivered", rule.name);
      else tellFailure("The test was not delivered", new Error(problem ?? "no reason was given"));
      await client.invalidateQueries({ queryKey: ["alerts"] });
    } catch (error) {
      tellFailure("The test was not sent", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button disabled={isBusy} aria-label={`Send test of ${rule.name}`} onClick={() => void test()}>
      Send test
    </Button>
  );
}

/** Who is told, and by which rules. */
function Channels({ rules }: Readonly<{ rules: readonly Rule[] }>): ReactElement {
  const channels = [...Map.groupBy(rules, (rule) => printTarget(rule.target))];
  if (channels.length === 0)
    return (
      <EmptyState kind="none" title="Nobody is told of anything">
        A channel is where a rule sends what it tells: an address or a mailbox. Make a rule, and it is here.
      </EmptyState>
    );
  return (
    <ul className="p-4">
      {channels.map(([channel, own]) => (
        <li key={channel} className="flex flex-wrap gap-x-4 border-b border-line py-2">
          <span className="min-w-60 font-semibold [overflow-wrap:anywhere]">{channel}</span>
          <span className="text-muted">
            {plural(own.length, "rule")}:{" "}
            {own
              .slice(0, 10)
              .map((rule) => rule.name)
              .join(", ")}
          </span>
        </li>
      ))}
    </ul>
  );
}

function History({ rules }: Readonly<{ rules: readonly Rule[] }>): ReactElement {
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts", "history"],
    queryFn: async ({ signal }) =>
      (await request<GetApiAlertsHistoryResponse>("alerts/history", { query: { limit: historyMax }, signal }))
        .events,
    refetchInterval: againMs,
  });
  if (data === undefined) {
    return error === null ? (
      <LoadingState what="the history" />
    ) : (
      <ErrorState error={error} onRetry={() => void refetch()} />
    );
  }
  if (data.length === 0)
    return (
      <EmptyState kind="none" title="Nothing was told yet">
        What rules tell, and whether it arrived, is kept here; so is a test of a rule.
      </EmptyState>
    );
  const names = new Map(rules.map((rule) => [rule.id, rule.name]));
  return (
    <EventList
      events={data.map((event) => ({ ...event, subject: names.get(event.subject) ?? event.subject }))}
    />
  );
}
