/** Every night: find the workbooks, download what is new, lay it out, check it, publish; each step is tasks of its own. */
import {
  checkDataset,
  downloadFile,
  extractStream,
  type Flow,
  type FlowContext,
  findFiles,
  findUntidied,
  flow,
  publishDataset,
  tidyFile,
} from "../../src/index.ts";

type PublishedTable = { dataset: string; status: string; version: string; rows: number; warnings: string };

const stream = "ons.workbooks";
const tenant = "default";

/** One request at a time is enough for an office that publishes once a month. */
const lookAgain = extractStream(1)("ons");

export const nightly: Flow<Record<never, never>, unknown> = flow(
  "nightly",
  {
    description: "From the publisher's page to a new version of the table, where there is one.",
    schedules: [{ cron: "30 3 * * *", timezone: "Europe/London", catchUp: "last", lateAfter: "2h" }],
  },
  async (ctx) => {
    const found = await findFiles(ctx, stream, tenant);
    const fresh = found.filter(({ isLanded }) => !isLanded);
    await ctx.map(fresh, ({ id }) => downloadFile(ctx, stream, tenant, id));
    // A workbook that was landed before may have been corrected: all are asked about, and those that changed are landed.
    await lookAgain(ctx, stream, tenant);
    const untidied = await findUntidied(ctx, "printed");
    await ctx.map(untidied, (workbook) => tidyFile(ctx, "printed", workbook));
    const printed = await checkAndPublish(ctx, "printed");
    const deaths = await checkAndPublish(ctx, "deaths");
    await ctx.artifact.table("published", [printed, deaths]);
    return { found: found.length, downloaded: fresh.length, tidied: untidied.length, rows: deaths.rows };
  },
);

/** A version whose rows or rules are wrong is never seen: the one before stays. */
async function checkAndPublish(ctx: FlowContext, dataset: string): Promise<PublishedTable> {
  const checked = await checkDataset(ctx, dataset);
  const { status } = await publishDataset(ctx, checked);
  if (status === "superseded") return checkAndPublish(ctx, dataset); // `leat build` was first, with other rows.
  const { version, rows, warnings } = checked;
  return { dataset, status, version, rows, warnings: warnings.join("; ") };
}
