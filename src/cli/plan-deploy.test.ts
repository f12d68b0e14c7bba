import { describe, expect, test } from "vitest";
import type { WorkSchedule } from "../flow/ready-made.ts";
import { toTenantId } from "../model/ids.ts";
import type { Project } from "../ports/project.ts";
import { type DeployChoice, planDeploy, toName } from "./plan-deploy.ts";

const project = {
  name: "Shop & Co.",
  datasets: [],
  shares: [],
  sources: [
    { name: "shop", streams: ["orders", "items", "stock"].map((name) => ({ source: "shop", name })) },
  ],
} as unknown as Project; // All that is looked at.
const hourly: WorkSchedule = {
  kind: "sync",
  id: "sync",
  ticks: { kind: "cron", cron: "0 * * * *", timezone: "UTC" },
  names: [],
  tenants: [],
};
const choice: DeployChoice = {
  projectId: "my-project",
  region: "europe-west1",
  image: "image",
  dispatch: undefined,
  alertEmail: undefined,
  volumes: {
    runSeconds: 20,
    concurrency: 4,
    cpu: 1,
    memoryGib: 0.5,
    landedGb: 0,
    warehouseGib: 0,
    scannedTib: 0,
    isFreeTier: true,
  },
};
const plan = (
  tenantCount: number,
  more: Partial<{ schedule: WorkSchedule; dispatch: "scheduler" | "planner"; project: Project }> = {},
) =>
  planDeploy(
    {
      project: more.project ?? project,
      tenants: Array.from({ length: tenantCount }, (_, index) => ({
        id: toTenantId(`t${index}`),
        fields: {},
      })),
      schedules: [more.schedule ?? hourly],
      secrets: { variables: [], google: [] },
    },
    { ...choice, dispatch: more.dispatch },
    Date.UTC(2026, 0, 1),
  );
const usd = (of: ReturnType<typeof plan>, what: string) => of.cost.find((line) => line.what === what)!.usd;

describe("planDeploy", () => {
  test("up to three hundred streams and tenants have a job each, more have a planner", () => {
    const [few, many] = [plan(100), plan(101)];
    expect([few.variables.dispatch, Object.keys(few.variables.syncs).length]).toEqual(["scheduler", 300]);
    expect([many.variables.dispatch, Object.keys(many.variables.syncs).length]).toEqual(["planner", 0]);
    expect(usd(few, "Cloud Scheduler")).toBeCloseTo(29.8, 2);
    expect(usd(many, "Cloud Scheduler")).toBe(0);
  });

  test("a project with shares has a job for them, and no other has", () => {
    const shares = [{ name: "copies" }] as unknown as Project["shares"]; // How many there are is looked at.
    const shared = plan(100, { project: { ...project, shares } });
    expect(plan(100).variables.share_schedule).toBeNull();
    expect(shared.variables.share_schedule).toMatch(/^\S+( \S+){4}$/);
    expect(usd(shared, "Cloud Scheduler") - usd(plan(100), "Cloud Scheduler")).toBeCloseTo(0.1, 2);
  });

  test("each stream and tenant has a key of its own", () => {
    const { pairs } = plan(100);
    expect(new Set(pairs.map(({ key }) => key)).size).toBe(300);
    for (const { key } of pairs) expect(key).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("a schedule that Cloud Scheduler cannot say needs a planner, and is named where none is wanted", () => {
    const schedule: WorkSchedule = {
      ...hourly,
      id: "odd",
      ticks: { kind: "interval", everyMs: 7 * 60_000, anchorMs: 0 },
    };
    expect(plan(1, { schedule }).why).toContain('"odd"');
    expect(() => plan(1, { schedule, dispatch: "scheduler" })).toThrow(/no words for the schedule "odd"/);
  });
});

test("each schedule of a build has a job, with its datasets, and one that cannot be said is refused", () => {
  const work = {
    project,
    tenants: [{ id: toTenantId("t"), fields: {} }],
    secrets: { variables: [], google: [] },
  };
  const build = (id: string, ticks: WorkSchedule["ticks"], names: string[] = []): WorkSchedule => ({
    ...hourly,
    ...{ kind: "build", id, ticks, names },
  });
  const daily = { kind: "cron", cron: "@daily", timezone: "UTC" } as const;
  const some = build("build.some", { kind: "interval", everyMs: 3_600_000, anchorMs: 0 }, ["sales"]);
  const { variables } = planDeploy(
    { ...work, schedules: [hourly, build("build.all", daily), some] },
    choice,
    0,
  );
  expect(variables.builds).toEqual({
    "build-all": { schedule: "0 0 * * *", time_zone: "UTC", datasets: [] },
    "build-some": { schedule: "0 * * * *", time_zone: "Etc/UTC", datasets: ["sales"] },
  });
  const odd = build("odd", { kind: "dates", instantsMs: [1] });
  expect(() => planDeploy({ ...work, schedules: [hourly, odd] }, choice, 0)).toThrow(/"odd" of a build/);
});

test("names are such as service accounts have", () => {
  expect(toName("stashstock")).toBe("stashstock");
  expect(toName("Shop & Co.")).toBe("shop-co");
  const names = ["a".repeat(50), `${"a".repeat(49)}b`, "x", "42", "日本", "-"].map(toName);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9-]{1,18}[a-z0-9]$/);
  expect(new Set(names).size).toBe(names.length);
});
