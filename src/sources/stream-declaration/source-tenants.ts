/** For whom a source is read, as every kind of source declares it. */
import { z } from "zod";
import type { SourceTenants } from "../../model/source-tenants.ts";

/** The option that all kinds of sources have. */
export type SourceTenantsOption = Readonly<{
  /**
   * For whom the source is read. `"all"` (default): for each of the project's tenants. A list of ids: for these alone.
   * `"none"`: once, for nobody in particular, which is what a publisher's files are beside a partner's accounts; its
   * records then have `default` as their tenant, as in a project without tenants.
   * @example "none"
   * @example ["414", "415"]
   */
  tenants?: SourceTenants;
}>;

const write = 'write "all", "none" or a list of ids such as ["414"]';

/** Checks it. Which ids there are, the project knows. */
export const sourceTenantsSchema: z.ZodType<SourceTenants | undefined> = z
  .union([z.enum(["all", "none"]), z.array(z.string().min(1)).min(1)], { error: () => write })
  .refine((said) => typeof said === "string" || new Set(said).size === said.length, {
    error: () => "names a tenant twice",
  })
  .optional();
