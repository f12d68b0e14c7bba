/**
 * A stand-in for Terraform's Google provider: it knows names and nesting of arguments and nothing else, which is what
 * `terraform validate` and tests with a mocked provider ask of it. Started by Terraform, never by hand.
 *
 * The real provider cannot be had everywhere; CI of the public runs the same tests with it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Cookie by which a provider knows that it was started by Terraform. */
const cookie = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/** A block as the extracted schema has it; see `extract-schema.ts`. */
type Block = Readonly<{
  /** Attribute → its type as Terraform writes it, and `r`equired, `o`ptional, `c`omputed. */
  a?: Readonly<Record<string, readonly [type: unknown, flags: string]>>;
  /** Nested block → its nesting (`list`, `set`, `single`), least number and contents. */
  b?: Readonly<Record<string, readonly [nesting: keyof typeof nestings, least: number, block: Block]>>;
}>;

const nestings = { single: 1, list: 2, set: 3 } as const;

/** Answers of the service: a request in, a message or a failure out. */
type Handler = (
  call: { request: Record<string, unknown> },
  reply: (error: null, answer: object) => void,
) => void;

/** What is used of `@grpc/grpc-js` and `@grpc/proto-loader`, which are installed for this command alone. */
type Grpc = Readonly<{
  Server: new () => {
    addService(service: unknown, handlers: Readonly<Record<string, Handler>>): void;
    bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  ServerCredentials: Readonly<{ createInsecure(): unknown }>;
  loadPackageDefinition(definition: unknown): Record<string, Record<string, Readonly<{ service: unknown }>>>;
}>;
type ProtoLoader = Readonly<{ loadSync(path: string, options: object): unknown }>;

function toBlock(block: Block): object {
  return {
    attributes: Object.entries(block.a ?? {}).map(([name, [type, flags]]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: flags.includes("r"),
      optional: flags.includes("o"),
      computed: flags.includes("c"),
    })),
    block_types: Object.entries(block.b ?? {}).map(([type_name, [nesting, least, inner]]) => ({
      type_name,
      block: toBlock(inner),
      nesting: nestings[nesting],
      min_items: least,
    })),
  };
}

function serve(cache: string): void {
  const require = createRequire(join(cache, "package.json"));
  const grpc = require("@grpc/grpc-js") as Grpc; // Of the cache: it has no types here.
  const loader = require("@grpc/proto-loader") as ProtoLoader; // Likewise.
  const load = (file: string, name: string, service: string): unknown => {
    const options = { keepCase: true, longs: Number, defaults: false };
    const definition = loader.loadSync(join(import.meta.dirname, file), options);
    const found = grpc.loadPackageDefinition(definition)[name]?.[service];
    assert(found, `${file} declares ${service}`);
    return found.service;
  };
  const schemaPath = join(import.meta.dirname, "../../test/data/terraform/google-6.50-schema.json");
  const schemas = JSON.parse(readFileSync(schemaPath, "utf8")) as Readonly<Record<string, Block>>; // Our own file.
  const toSchema = (block: Block): object => ({ version: 0, block: toBlock(block) });
  const text = ["string", "o"] as const;
  const provider = toSchema({
    a: { project: text, region: text, zone: text, user_project_override: ["bool", "o"] },
  });
  const resources = Object.fromEntries(
    Object.entries(schemas).map(([name, block]) => [name, toSchema(block)]),
  );

  const server = new grpc.Server();
  server.addService(load("plugin.proto", "tfplugin5", "Provider"), {
    GetSchema: (_call, reply) => reply(null, { provider, resource_schemas: resources }),
    PrepareProviderConfig: ({ request }, reply) => reply(null, { prepared_config: request["config"] }),
    ValidateResourceTypeConfig: (_call, reply) => reply(null, {}),
    UpgradeResourceState: ({ request }, reply) => reply(null, { upgraded_state: request["raw_state"] }),
    Configure: (_call, reply) => reply(null, {}),
    ReadResource: ({ request }, reply) => reply(null, { new_state: request["current_state"] }),
    PlanResourceChange: ({ request }, reply) => reply(null, { planned_state: request["proposed_new_state"] }),
    ApplyResourceChange: ({ request }, reply) => reply(null, { new_state: request["planned_state"] }),
    Stop: (_call, reply) => reply(null, {}),
  });
  server.addService(load("controller.proto", "plugin", "GRPCController"), {
    // Without it Terraform waits for two seconds, each time.
    Shutdown: (_call, reply) => {
      reply(null, {});
      setImmediate(() => {
        server.forceShutdown();
        process.exit(0);
      });
    },
  });
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    console.log(`1|5|tcp|127.0.0.1:${port}|grpc|`); // What Terraform reads first.
  });
}

if (process.env["TF_PLUGIN_MAGIC_COOKIE"] !== cookie) {
  console.error("This is a provider: Terraform starts it, see `npm run check:terraform`.");
  process.exitCode = 1;
} else {
  serve(process.argv[2] ?? "");
}
