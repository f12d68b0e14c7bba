/** Deaths by area and month: a publisher's workbooks to one table in versions, and an API. */

// In a project of your own: import { defineProject } from "leat";
import { defineProject, type Project } from "../../src/index.ts";
import { ons } from "./extract.ts";
import { deaths, printed } from "./load.ts";
import { nightly } from "./nightly.ts";
import { api } from "./serve.ts";

const project: Project = defineProject({
  name: "ons-deaths",
  sources: [ons],
  datasets: [printed, deaths],
  flows: [nightly],
  apis: [api],
});

export default project;
