/** `leat sync`: fetch what is new, land it, load it. */
import type { Command } from "commander";
import type { Invocation } from "./invocation.ts";
import { addExtractOptions, addTenantOption, runSync, type SyncOptions } from "./run-sync.ts";

const after = `
Examples:
  leat sync                                  everything that is new, for every tenant
  leat sync shop                             all streams of the source "shop"
  leat sync shop.orders --tenant 414 415     one stream, two tenants
  leat sync shop.orders --from 2026-01-01 --to 2026-02-01
                                             January again; what is already landed is dropped

One tenant's failure leaves the others served: the exit code is then 1, and each failure is told.
Safe to kill and to run twice at once: what is committed is loaded exactly once.`;

export function addSync(program: Command, invocation: Invocation): void {
  const command = program
    .command("sync")
    .summary("Fetch what is new, land it, load it.")
    .description(
      "Fetches what changed since the last time, lands it as files, and loads it into the warehouse.",
    )
    .argument("[stream...]", "A source, or one of its streams as source.stream. Default: all.");
  addExtractOptions(addTenantOption(command))
    .addHelpText("after", after)
    .action(async (names: string[]) => {
      invocation.finish(await runSync(invocation, names, command.optsWithGlobals<SyncOptions>(), "both"));
    });
}
