/** `leat deploy`: one file for Terraform, and the plan in words. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";
import { makeFolder, orderProject, type TestFolder } from "./leat-process.ts";

let folder: TestFolder;
const args = ["deploy", "--project", "my-project", "--region", "europe-west1"];

beforeAll(() => {
  folder = makeFolder();
  folder.write(
    "tenants.json",
    JSON.stringify([
      { id: "414", apiKey: "env:SHOP_KEY_414" },
      { id: "415", apiKey: "gcp-secret:projects/my-project/secrets/key-415/versions/7" },
      { id: "416", apiKey: "env:SHOP_KEY_416" },
    ]),
  );
  folder.write(".env", "SHOP_KEY_414=sk-live-of-414\nSHOP_KEY_416=sk-live-of-416\n");
  const rest = `
    rest({
      name: "bank",
      baseUrl: "https://bank.example",
      auth: { type: "basic", username: "env:BANK_USER", password: "{tenant.apiKey}" },
      streams: { entries: { path: "/entries", primaryKey: "id", pagination: { type: "single" } } },
    }),
    defineSource({`;
  const project = orderProject({
    imports: 'import { rest, syncFlow, buildFlow } from "leat";',
    more: `flows: [
      syncFlow({ schedules: [{ cron: "0 5 * * *", timezone: "America/Denver" }] }),
      buildFlow({ schedules: [{ cron: "30 6 * * *" }] }),
    ],`,
  }).replace("    defineSource({", rest);
  folder.write("leat.config.ts", project);
});
afterAll(() => folder.remove());

const readVariables = (name = "terraform.tfvars.json") =>
  JSON.parse(readFileSync(join(folder.path, name), "utf8"));

describe("leat deploy", () => {
  test("writes what Terraform needs: syncs, secrets by name, and no value of any", async () => {
    const { code, stdout, stderr } = await folder.leat(...args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const variables = readVariables();
    expect(variables).toMatchObject({
      project_id: "my-project",
      region: "europe-west1",
      name: "orders",
      image: "europe-west1-docker.pkg.dev/my-project/orders/orders:latest",
      dispatch: "scheduler",
      builds: { build: { schedule: "30 6 * * *", time_zone: "UTC", datasets: [] } },
      sources: ["bank", "shop"],
      secrets: {
        BANK_USER: "orders-bank-user",
        SHOP_KEY_414: "orders-shop-key-414",
        SHOP_KEY_416: "orders-shop-key-416",
      },
      readable_secrets: ["projects/my-project/secrets/key-415"],
    });
    expect(Object.values(variables.syncs)).toHaveLength(6);
    expect(Object.values(variables.syncs)[0]).toEqual({
      source: "bank",
      stream: "entries",
      tenant_id: "414",
      schedule: "0 5 * * *",
      time_zone: "America/Denver",
    });
    expect(readFileSync(join(folder.path, "terraform.tfvars.json"), "utf8") + stdout).not.toContain(
      "sk-live",
    );
    for (const said of [
      "What will exist",
      "Who may do what",
      "What it costs a month",
      "together",
      "gcloud secrets versions add orders-bank-user",
    ]) {
      expect(stdout).toContain(said);
    }
  });

  test("what comes next can be typed where one is, wherever the values were written", async () => {
    mkdirSync(join(folder.path, "infra"));
    const { stdout } = await folder.leat(...args, "--out", "infra/terraform.tfvars.json");
    expect(stdout).toContain("\n  terraform -chdir=infra init\n");
    expect(stdout).toMatch(/\n {2}terraform -chdir=infra apply -target=.*-target=module\.secrets\n/);
    expect(stdout).toMatch(/\n {2}terraform -chdir=infra apply\n/);
    expect((await folder.leat(...args)).stdout).toContain("\n  terraform init\n");
  });

  test("every variable is one that the modules declare, and those without a default are there", () => {
    const declared = readFileSync(join(root, "terraform/variables.tf"), "utf8");
    const blocks = declared.split(/^variable /m).slice(1);
    const names = blocks.map((block) => /^"(\w+)"/.exec(block)![1]!);
    const written = Object.keys(readVariables());
    expect(written.filter((name) => !names.includes(name))).toEqual([]);
    const needed = blocks
      .filter((block) => !/^ {2}default\s/m.test(block))
      .map((block) => /^"(\w+)"/.exec(block)![1]!);
    expect(needed.filter((name) => !written.includes(name))).toEqual([]);
  });

  test("tells the same as JSON, with the bill of the volumes stated", async () => {
    const volumes = [
      "--run-seconds",
      "60",
      "--landed-gb",
      "100",
      "--no-free-tier",
      "--alert-email",
      "a@b.example",
    ];
    const { stdout } = await folder.leat(
      ...args,
      "--dispatch",
      "planner",
      "--out",
      "planner.json",
      "--json",
      ...volumes,
    );
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({
      ok: true,
      dispatch: { by: "planner" },
      pairs: 6,
      cost: { currency: "USD" },
    });
    const lines: { what: string; usd: number }[] = plan.cost.lines;
    expect(plan.cost.total).toBeCloseTo(
      lines.reduce((sum, { usd }) => sum + usd, 0),
      2,
    );
    // 180 syncs of a minute, four at once, and 11,550 loads, plans and builds of five seconds, on 1 vCPU and 1 GiB.
    expect(lines.find(({ what }) => what === "Cloud Run")?.usd).toBeCloseTo(
      (2700 + 11_550 * 5) * (0.000024 + 0.0000025) + 11_730 * 0.4e-6,
      2,
    );
    expect(readVariables("planner.json")).toMatchObject({
      dispatch: "planner",
      syncs: {},
      alert_email: "a@b.example",
    });
  });

  test.each([
    [["--project", "My Project"], "is no id of a project"],
    [["--project", "my-project", "--region", "EU"], "is no region"],
    [["--project", "my-project", "--dispatch", "cron"], "neither scheduler nor planner"],
    [["--project", "my-project", "--cpu", "3"], "is none of 1, 2, 4 and 8"],
    [["--project", "my-project", "--out", "nowhere/x.json"], "cannot be written"],
    [[], "No project on Google Cloud is named"],
  ] as const)("%j is refused with what to do", async (wrong, told) => {
    const { code, stderr } = await folder.leat("deploy", ...wrong);
    expect(code).toBe(2);
    expect(stderr).toContain(told);
    expect(stderr).toContain("hint:");
    expect(existsSync(join(folder.path, "nowhere"))).toBe(false);
  });

  test("a project that says nowhere when it is synced is told how to", async () => {
    const other = makeFolder();
    try {
      other.write("tenants.json", '[{"id":"414"}]');
      other.write("leat.config.ts", orderProject());
      const { code, stderr } = await other.leat(...args);
      expect(code).toBe(2);
      expect(stderr).toContain("syncFlow({ schedules:");
    } finally {
      other.remove();
    }
  });
});
