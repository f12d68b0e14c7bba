/** Extract: find the publisher's workbooks, and land what is new, as it is. */
import { files, type Source } from "../../src/index.ts";
import { publisherPage } from "./publisher/publisher-page.ts";

/** One record per version of each workbook; its bytes lie beside it in the landing. */
export const ons: Source = files({
  name: "ons",
  userAgent: "leat-example",
  tenants: "none", // Figures of a whole country are no customer's: read once, also in a project that has tenants.
  streams: {
    workbooks: {
      // A copy of the publisher's page on this machine, started when it is first asked for.
      // Its port is another one each time, so a workbook is known by its path.
      page: { url: publisherPage, id: "path" },
      match: "*.xls*",
    },
  },
});
