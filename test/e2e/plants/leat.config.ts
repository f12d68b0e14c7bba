/** The example's plants as a dataset, so that they can be asked for over HTTP; everything else is the example's. */
import { z } from "zod";
import stashstock from "../../../examples/stashstock/leat.config.ts";
import { defineDataset, defineProject, fromStream, type Project } from "../../../src/index.ts";

const plants = defineDataset({
  name: "plants",
  description: "Plants of all customers, newest version of each.",
  columns: {
    tenant_id: z.string(),
    label: z.string(),
    id: z.string().meta({ type: "decimal(20,0)" }),
    state: z.string(),
    strainName: z.string(),
    isOnHold: z.boolean(),
    plantedDate: z.iso.date(),
    harvestedWetWeight: z.string().nullable().meta({ type: "decimal(24,2)" }),
    lastModified: z.iso.datetime(),
  },
  key: ["tenant_id", "label"],
  from: fromStream("stashstock.metrc_plants"),
});

const project: Project = defineProject({
  name: "plants",
  sources: [...stashstock.sources],
  tenants: "../../../examples/stashstock/tenants.json",
  datasets: [plants],
});
export default project;
