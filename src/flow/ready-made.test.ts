import { expect, test } from "vitest";
import { z } from "zod";
import { buildFlow } from "./build-flow.ts";
import { createFlowRegistry, deployment } from "./deployment.ts";
import { flow } from "./flow.ts";
import { listWorkSchedules } from "./ready-made.ts";
import { syncFlow } from "./sync-flow.ts";

const cron = (text: string, timezone = "UTC") => ({ kind: "cron", cron: text, timezone });

test("schedules of syncs and builds are found, also of deployments, with the parameters of each", () => {
  const sync = syncFlow({
    schedules: [
      { name: "often", cron: "*/15 * * * *", params: { streams: ["shop.orders"] } },
      { name: "nightly", cron: "0 3 * * *", timezone: "Europe/Vienna" },
    ],
  });
  const oslo = deployment("oslo", sync, {
    params: { tenants: ["oslo"], streams: ["shop"] },
    schedules: [{ every: "1h", params: { streams: ["shop.items"] } }],
  });
  const build = buildFlow({ schedules: [{ cron: "@daily" }], onNews: false });
  const own = flow("own", { params: z.object({}), schedules: [{ cron: "0 0 * * *" }] }, async () => 1);
  const { deployments } = createFlowRegistry([sync, build, own], [oslo]);
  expect(listWorkSchedules(deployments)).toEqual([
    { kind: "sync", id: "sync.often", ticks: cron("*/15 * * * *"), names: ["shop.orders"], tenants: [] },
    { kind: "sync", id: "sync.nightly", ticks: cron("0 3 * * *", "Europe/Vienna"), names: [], tenants: [] },
    { kind: "build", id: "build", ticks: cron("@daily"), names: [], tenants: [] },
    {
      kind: "sync",
      id: "oslo",
      ticks: { kind: "interval", everyMs: 3_600_000, anchorMs: 0 },
      names: ["shop.items"],
      tenants: ["oslo"],
    },
  ]);
});

test("a flow without schedules has none", () => {
  expect(listWorkSchedules(createFlowRegistry([syncFlow(), buildFlow()]).deployments)).toEqual([]);
});
