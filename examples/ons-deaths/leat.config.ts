/** Deaths by area and month: a publisher's workbooks to one table in versions. */

// In a project of your own: import { defineProject } from "leat";
import { defineProject, type Project } from "../../src/index.ts";
import { ons } from "./extract.ts";
import { deaths, printed } from "./load.ts";
import { nightly } from "./nightly.ts";

const project: Project = defineProject({
  name: "ons-deaths",
  sources: [ons],
  datasets: [printed, deaths],
  flows: [nightly],
});

export default project;
