/** Shares as flows deliver them: a task a tenant, each in a process that is used again. */
import { LeatError } from "../errors/leat-error.ts";
import type { ProjectWork } from "../ports/project-work.ts";
import type { ShareReport } from "../share/print-outcome.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import type { ShareLane } from "./open-share-lane.ts";

/** Opens the work. No process is started before there is a share to deliver. */
export function openShareWork(
  { atEnd, cwd }: Pick<Invocation, "atEnd" | "cwd">,
  opened: OpenProject,
): Pick<ProjectWork, "planShares" | "share"> {
  let lane: Promise<ShareLane> | undefined;
  const openLane = (): Promise<ShareLane> => {
    lane ??= import("./open-share-lane.ts").then(({ openShareLane }) => {
      const opening = openShareLane({ configPath: opened.configPath, cwd });
      atEnd(() => opening.close());
      return opening;
    });
    return lane;
  };
  const choose = async (names: readonly string[], tenants: readonly string[]) => {
    const { chooseShares } = await import("../share/choose-shares.ts");
    return chooseShares(opened.project, opened.readTenants(), names, tenants, false);
  };
  return {
    async planShares(names, tenants) {
      return (await choose(names, tenants)).map(({ share, tenant }) => ({
        share: share.name,
        tenant: tenant.id,
      }));
    },
    async share(name, id, world) {
      const [turn] = await choose([name], [id]);
      if (turn === undefined)
        throw new LeatError("SHARE_UNKNOWN", { message: `There is no share "${name}".` });
      const report = await (await openLane()).deliver(
        turn,
        "deliver",
        (event) => {
          if (event.type === "load") world.tell("info", `loaded package ${event.seq}, ${event.rows} rows`);
        },
        world.signal,
      );
      await refuseFailed(report);
      const { target, tables } = report;
      return {
        target,
        tables: tables.map(({ table, status, rows, seq, receipts }) => ({
          table,
          status,
          rows,
          seq,
          receipts: receipts.map((receipt) => ({ ...receipt })),
        })),
      };
    },
  };
}

/** The first failure is thrown, since a task has one end. */
async function refuseFailed(report: ShareReport): Promise<void> {
  const { errorsOf } = await import("../share/print-outcome.ts");
  const [first] = errorsOf(report);
  if (first !== undefined) throw first;
}
