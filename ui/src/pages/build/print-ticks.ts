/** When a schedule fires, in words. */
import type { Schedule } from "../../api/types.gen.ts";
import { printDuration } from "../../format/duration.ts";

export function printTicks(ticks: Schedule["ticks"]): string {
  switch (ticks["kind"]) {
    case "cron":
      return `${String(ticks["cron"])} · ${String(ticks["timezone"])}`;
    case "interval":
      return `every ${printDuration(Number(ticks["everyMs"]))}`;
    case "dates":
      return Array.isArray(ticks["instantsMs"]) ? `on ${ticks["instantsMs"].length} dates` : "on dates";
    default:
      return JSON.stringify(ticks);
  }
}

const catchUps: Readonly<Record<Schedule["catch_up"], string>> = {
  skip: "missed ticks are skipped",
  last: "of missed ticks the last is run",
  all: "missed ticks are all run",
};

export const printCatchUp = (schedule: Pick<Schedule, "catch_up">): string => catchUps[schedule.catch_up];
