/** `leat extract`: the first half of a sync. */
import type { Command } from "commander";
import type { Invocation } from "./invocation.ts";
import { addExtractOptions, addTenantOption, runSync, type SyncOptions } from "./run-sync.ts";

export function addExtract(program: Command, invocation: Invocation): void {
  const command = program
    .command("extract")
    .summary("Fetch what is new and land it, without loading.")
    .description(
      "Fetches what changed since the last time and lands it as files. `leat load` brings it into the warehouse later.",
    )
    .argument("[stream...]", "A source, or one of its streams as source.stream. Default: all.");
  addExtractOptions(addTenantOption(command)).action(async (names: string[]) => {
    invocation.finish(await runSync(invocation, names, command.optsWithGlobals<SyncOptions>(), "extract"));
  });
}
