/** Events, with what they say. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Event } from "../../api/types.gen.ts";
import { TimeText } from "../../components/time-text.tsx";
import { shortId } from "./run-columns.tsx";

function printValue(value: unknown): string {
  if (typeof value === "string") return value;
  // Of an error its message; the rest stands where it happened.
  if (typeof value === "object" && value !== null && "message" in value) return String(value.message);
  return JSON.stringify(value);
}

/** What an event says; what is not known of it is left out. */
const printData = (data: Event["data"]): string =>
  Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${printValue(value)}`)
    .join(" · ");

export function EventList({
  events,
  isRunHidden,
}: Readonly<{ events: readonly Event[]; isRunHidden?: boolean }>): ReactElement {
  return (
    <ol className="flex flex-col px-4 py-2">
      {events.map((event) => (
        <li key={event.id} className="flex flex-wrap gap-x-4 gap-y-0.5 border-b border-line py-1.5">
          <span className="w-24 shrink-0 text-muted">
            <TimeText at={event.at} />
          </span>
          <span className="w-40 shrink-0 font-semibold">{event.kind}</span>
          {!isRunHidden && <span className="min-w-40 [overflow-wrap:anywhere]">{event.subject}</span>}
          {!isRunHidden && event.run !== null && (
            <Link to="/runs/$id" params={{ id: event.run }}>
              run {shortId(event.run)}
            </Link>
          )}
          <span className="min-w-0 flex-1 basis-60 text-muted [overflow-wrap:anywhere]">
            {printData(event.data)}
          </span>
        </li>
      ))}
    </ol>
  );
}
