/** Every night: find the workbooks, download what is new, lay it out and check it, publish. */
import { buildDataset, downloadFile, extractStream, type Flow, findFiles, flow } from "../../src/index.ts";

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
    const printed = await buildDataset(ctx, "printed");
    const deaths = await buildDataset(ctx, "deaths");
    await ctx.artifact.table("published", [
      { dataset: "printed", ...printed },
      { dataset: "deaths", ...deaths },
    ]);
    return { found: found.length, downloaded: fresh.length, rows: deaths["rows"] };
  },
);
