/** Shares of a project, delivered: turns at once, each failing alone. For the command, the sync app and flows. */
import type { Progress } from "../ports/world.ts";
import { chooseShares, type ShareTurn } from "../share/choose-shares.ts";
import type { ShareReport } from "../share/print-outcome.ts";
import type { ShareMode } from "../share/share-job.ts";
import type { OpenProject } from "./open-project.ts";
import { openShareLane } from "./open-share-lane.ts";

/** How shares are delivered. */
export type ShareRun = Readonly<{
  configPath: string;
  cwd: string;
  turns: readonly ShareTurn[];
  mode: ShareMode;
  /** Processes at once; `undefined`: as many as leat thinks right. */
  atOnce?: number | undefined;
  progress: Progress;
  signal: AbortSignal;
}>;

/** Delivers all turns; a report for each, in their order. */
export async function runShares(run: ShareRun): Promise<readonly ShareReport[]> {
  const lane = openShareLane(run, run.atOnce);
  try {
    return await Promise.all(run.turns.map((turn) => lane.deliver(turn, run.mode, run.progress, run.signal)));
  } finally {
    await lane.close();
  }
}

/** Chooses and delivers, as the sync app is asked to. @throws LeatError `SHARE_UNKNOWN`, `TENANT_UNKNOWN`. */
export async function runChosenShares(
  { project, readTenants, configPath }: OpenProject,
  cwd: string,
  asked: Readonly<{
    names: readonly string[];
    tenants: readonly string[];
    progress: Progress;
    signal: AbortSignal;
  }>,
): Promise<readonly ShareReport[]> {
  const { names, tenants, progress, signal } = asked;
  const turns = chooseShares(project, readTenants(), names, tenants, false);
  return await runShares({ configPath, cwd, turns, mode: "deliver", progress, signal });
}
