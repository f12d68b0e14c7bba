/** What the Terraform modules make and grant, held against what the code needs, expects and tells people to grant. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildDocumentedProgram, listCommands } from "../../scripts/docs/cli-page.ts";
import { root } from "../../scripts/steps.ts";
import { parseStoreLocation } from "../../src/config/store-location.ts";
import { parseCloudTasksUrl } from "../../src/dispatchers/cloud-tasks/open-cloud-tasks.ts";
import { workPaths } from "../../src/server/sync/work-routes.ts";
import { parseAddress } from "../../src/warehouses/bigquery/address.ts";
import { copiesPrefix } from "../../src/warehouses/bigquery/collect-copies.ts";
import { GoogleFailure, toLeatError } from "../../src/warehouses/bigquery/google-errors.ts";
import { viewsDataset } from "../../src/warehouses/bigquery/stream-views.ts";

const modules = join(root, "terraform/modules");
const readModule = (name: string): string =>
  readdirSync(join(modules, name))
    .filter((file) => file.endsWith(".tf"))
    .map((file) => readFileSync(join(modules, name, file), "utf8"))
    .join("\n");
const main = readFileSync(join(root, "terraform/main.tf"), "utf8");

type Resource = Readonly<{ type: string; body: string }>;

function resourcesOf(module: string): readonly Resource[] {
  return [...readModule(module).matchAll(/^resource "(\w+)" "\w+" \{\n([\s\S]*?)^\}/gm)].map(
    ([, type, body]) => ({ type: type!, body: body! }),
  );
}

/** Roles granted to an account of a module, each as `role on what`. */
function rolesOf(module: string, account: RegExp): ReadonlySet<string> {
  return new Set(
    resourcesOf(module)
      .filter(({ type, body }) => type.includes("_iam_member") && account.test(body))
      .map(({ type, body }) => `${/role\s+= "([^"]+)"/.exec(body)![1]} on ${placeOf(type)}`),
  );
}

const placeOf = (type: string): string =>
  type.replace(/^google_|_iam_member$/g, "").replace(/^regional_|_regional/g, "");

const app = rolesOf("app", /member\s+= google_service_account\.sync\.member/);
const planner = rolesOf("dispatch", /member\s+= "serviceAccount:\$\{var\.sync_email\}"/);
const granted = new Set([...app, ...planner].map((role) => role.split(" on ")[0]!));

/** Roles whose rights a granted one has as well. @see https://docs.cloud.google.com/storage/docs/access-control/iam-roles */
const included: Readonly<Record<string, string>> = {
  "roles/storage.objectViewer": "roles/storage.objectUser",
  "roles/storage.objectCreator": "roles/storage.objectUser",
};

/** Named in a hint and not granted by the modules, and why that is right. */
const notGranted: ReadonlySet<string> = new Set([
  "roles/bigquery.resourceViewer", // A person's, who asks for the whole project's quotas.
  "roles/bigquery.user", // To make datasets of views, which the modules make.
]);

function sourceFiles(): readonly string[] {
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

describe("roles", () => {
  test("each role that an error tells people to grant is granted, or is part of one that is", () => {
    const named = new Set(
      sourceFiles().flatMap((text) => [...text.matchAll(/roles\/[a-z]+\.[A-Za-z]+/g)].map(([role]) => role)),
    );
    expect(named.size).toBeGreaterThan(7);
    const missing = [...named].filter(
      (role) => !granted.has(role) && !granted.has(included[role] ?? "") && !notGranted.has(role),
    );
    expect(missing).toEqual([]);
  });

  test("each right that BigQuery may miss has a role in the hint which the sync account has", () => {
    // What jobs, tables, views, datasets and loads ask for, by the pages of each method.
    const permissions = [
      "bigquery.jobs.create",
      "bigquery.datasets.get",
      "bigquery.tables.create",
      "bigquery.tables.get",
      "bigquery.tables.getData",
      "bigquery.tables.list",
      "bigquery.tables.update",
      "bigquery.tables.updateData",
      "bigquery.tables.delete",
      "storage.buckets.get",
      "storage.objects.get",
      "storage.objects.create",
    ];
    for (const permission of permissions) {
      const failure = new GoogleFailure(403, {
        reason: "accessDenied",
        message: `Access Denied: Permission ${permission} denied`,
      });
      const role = String(toLeatError(failure, "load").details["role"]).split(" on ")[0]!;
      expect([...granted], permission).toContain(included[role] ?? role);
    }
  });

  test("no account has a role that nothing asks for", () => {
    expect([...app].sort()).toEqual([
      "roles/bigquery.dataEditor on bigquery_dataset",
      "roles/bigquery.jobUser on project",
      "roles/iam.serviceAccountUser on service_account",
      "roles/secretmanager.secretAccessor on secret_manager_secret",
      "roles/storage.legacyBucketReader on storage_bucket",
      "roles/storage.objectUser on storage_bucket",
    ]);
    expect([...planner]).toEqual(["roles/cloudtasks.enqueuer on cloud_tasks_queue"]);
    expect([...rolesOf("api", /google_service_account\.api\.member/)]).toEqual([
      "roles/storage.objectViewer on storage_bucket",
    ]);
  });
});

describe("names", () => {
  const values: Readonly<Record<string, string>> = {
    "var.project_id": "my-project",
    "var.region": "europe-west1",
    "var.name": "shop",
    "local.bucket": "my-project-shop-landing",
    "local.dataset_id": "shop_landing",
  };
  const fill = (text: string): string =>
    text.replace(/\$\{([^}]+)\}/g, (_all, name: string) => values[name] ?? `UNKNOWN ${name}`);
  const local = (name: string): string =>
    fill(new RegExp(`${name}\\s+= (?:coalesce\\([^"]*)?"([^"]+)"`).exec(main)![1]!);

  test("landing, warehouse and queue are addresses that leat reads", () => {
    expect(parseStoreLocation(local("landing_url"), "landing", "test", "/")).toMatchObject({
      engine: "gs",
      bucket: "my-project-shop-landing",
    });
    expect(parseAddress(local("warehouse_url"))).toMatchObject({
      project: "my-project",
      dataset: "shop_landing",
      location: "europe-west1",
    });
    expect(parseCloudTasksUrl(`cloud-tasks://${local("queue")}`)).toContain("/queues/shop-syncs");
    expect(fill(/name\s+= "(\$\{var\.name\}-syncs)"/.exec(readModule("dispatch"))![1]!)).toBe("shop-syncs");
  });

  test("a source's dataset of views has the name that leat looks for", () => {
    const rule = /replace\(name, "\/(\[\^[^"]+\])\/", "(.)"\)/.exec(readModule("warehouse"))!;
    for (const source of ["shop", "old-shop", "a b.c", "größe"])
      expect(source.replace(new RegExp(rule[1]!, "g"), rule[2]!)).toBe(viewsDataset("", source));
  });

  test("each variable that a service is given is one that leat reads", () => {
    const given = [
      ...`${main}\n${readModule("app")}\n${readModule("api")}`.matchAll(
        /^\s+((?:LEAT|GOOGLE)_[A-Z_]+)\s+=/gm,
      ),
    ];
    const names = new Set(given.map(([, name]) => name!));
    expect([...names].sort()).toEqual([
      "GOOGLE_CLOUD_PROJECT",
      "LEAT_LANDING",
      "LEAT_QUEUE",
      "LEAT_TASKS_CALLER",
      "LEAT_WAREHOUSE",
    ]);
    const sources = sourceFiles().join("\n");
    for (const name of names) expect(sources).toContain(name);
  });

  test("each command of a container exists, with its options", () => {
    const commands = new Map(listCommands(buildDocumentedProgram()).map((one) => [one.name, one.command]));
    const lists = ["app", "api"].flatMap((module) => [
      ...readModule(module).matchAll(/args\s+= \[([^\]]*)\]/g),
    ]);
    expect(lists).toHaveLength(3);
    for (const [, list] of lists) {
      const [name = "", ...args] = [...list!.matchAll(/"([^"]+)"/g)].map(([, word]) => word!);
      const command = commands.get(`leat ${name}`) ?? commands.get(name);
      expect(command, name).toBeDefined();
      const known = command!.options.map(({ long }) => long);
      for (const option of args.filter((word) => word.startsWith("--"))) expect(known).toContain(option);
    }
  });

  test("each path that Scheduler calls is one that the app answers", () => {
    const text = readModule("dispatch");
    const works = [...text.matchAll(/^ {4}(\w+) = \{\n\s+schedule\s+=/gm)].map(([, key]) => `/${key}`);
    const paths = [...works, ...[...text.matchAll(/path\s+= "(\/\w+)"/g)].map(([, path]) => path!)];
    expect(new Set(paths)).toEqual(workPaths);
  });

  test("the bucket deletes nothing by age but leat's copies", () => {
    const rules = [
      ...readModule("storage").matchAll(/type\s+= "Delete"[\s\S]*?matches_prefix = \["([^"]+)"\]/g),
    ];
    expect(rules.map(([, prefix]) => prefix)).toEqual([copiesPrefix]);
    expect(readModule("storage").match(/"Delete"/g)).toHaveLength(1);
    const stage = readFileSync(join(root, "src/warehouses/bigquery/stage-parts.ts"), "utf8");
    const load = readFileSync(join(root, "src/warehouses/bigquery/dataset-load.ts"), "utf8");
    for (const text of [stage, load]) expect(text).toMatch(/`\$\{copiesPrefix\}/);
  });
});
