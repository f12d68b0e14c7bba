/** Rules of alerts in words. */
import type { GetApiAlertsResponse } from "../../api/types.gen.ts";
import { printDuration } from "../../format/duration.ts";

export type Rule = GetApiAlertsResponse["rules"][number];

const minuteMs = 60_000;

export function printWhen({
  on,
  stream,
  tenant,
  after_minutes: minutes,
  deployment,
}: Rule["when"][number]): string {
  if (on === "late" && stream !== undefined) {
    const span = minutes === undefined ? "" : ` by ${printDuration(minutes * minuteMs)}`;
    return `${stream}${tenant ? ` of ${tenant}` : ""} late${span}`;
  }
  const what = deployment ?? "any deployment";
  return { late: `${what} late`, failed: `${what} fails`, recovery: `${what} is well again` }[on];
}

const channels: Readonly<Record<Rule["target"]["to"], string>> = {
  webhook: "webhook",
  slack: "Slack",
  mail: "mail",
};

/** Addresses are names of secrets, and can be shown. */
export function printTarget({ to, url, recipients }: Rule["target"]): string {
  return [channels[to], url ?? recipients?.join(", ")].filter(Boolean).join(" ");
}
