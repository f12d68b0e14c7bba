/** Both examples in one project: a partner's accounts, and a publisher's files that are no customer's. */

// In a project of your own: import { defineProject } from "leat";
import { defineProject, type Project, syncFlow } from "../../src/index.ts";
import deaths from "../ons-deaths/leat.config.ts";
import plants from "../stashstock/leat.config.ts";

const project: Project = defineProject({
  name: "both",
  sources: [...plants.sources, ...deaths.sources],
  datasets: deaths.datasets,
  apis: deaths.apis,
  flows: [
    // The partner every morning; the publisher has a flow of its own.
    syncFlow({
      perSource: 4,
      schedules: [
        {
          cron: "0 5 * * *",
          timezone: "America/Denver",
          params: { streams: ["stashstock"] },
          lateAfter: "3h",
        },
      ],
    }),
    ...deaths.flows,
  ],
  tenants: "../stashstock/tenants.json",
});
export default project;
