/** `leat load`: the second half of a sync. */
import type { Command } from "commander";
import type { Invocation } from "./invocation.ts";
import { addTenantOption, runSync, type SyncOptions } from "./run-sync.ts";

export function addLoad(program: Command, invocation: Invocation): void {
  const command = program
    .command("load")
    .summary("Load what is landed and not yet in the warehouse.")
    .description("Loads what is landed and not yet in the warehouse. Asks no partner for anything.")
    .argument("[stream...]", "A source, or one of its streams as source.stream. Default: all.");
  addTenantOption(command).action(async (names: string[]) => {
    invocation.finish(await runSync(invocation, names, command.optsWithGlobals<SyncOptions>(), "load"));
  });
}
