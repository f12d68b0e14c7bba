/** Describes files that somebody publishes by a declaration. */
import { LeatError } from "../../errors/leat-error.ts";
import type { FileReader, Source, SourceWorld, StreamReader, Tenant } from "../../ports/source.ts";
import { Connections } from "../http/connections.ts";
import { Lookups, type Template } from "../http/template.ts";
import { userAgent } from "../http/user-agent.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { unknownKey } from "../stream-declaration/faults.ts";
import { BucketReader } from "./bucket-reader.ts";
import { checkFiles, type FileStream, type FilesPlan } from "./check-files.ts";
import type { FilesDeclaration } from "./files-declaration.ts";
import { FolderReader } from "./folder-reader.ts";
import { ListingReader } from "./listing-reader.ts";
import { PageReader } from "./page-reader.ts";
import { WebClient } from "./web-client.ts";

/**
 * Makes a source of files: links of a web page, a listing in JSON, a folder, a bucket.
 *
 * Nothing is sent and no secret is looked up before a stream is read.
 *
 * @param declaration - see {@link FilesDeclaration}; checked at once.
 * @returns a frozen source whose streams have a record for each version of each file.
 * @throws LeatError `CONFIG_INVALID` with every fault of the declaration, each with its path.
 */
export function files(declaration: FilesDeclaration): Source {
  const plan = checkFiles(declaration);
  const connections = new Connections(plan.access);
  const find = (name: string): FileStream => {
    const stream = plan.streams.find((each) => each.spec.name === name);
    if (stream !== undefined) return stream;
    const known = plan.streams.map((each) => each.spec.name);
    throw new LeatError("STREAM_UNKNOWN", {
      message: `Source "${plan.name}" has no stream ${unknownKey(name, known)}`,
      hint: `Streams of "${plan.name}": ${known.join(", ")}.`,
      details: { source: plan.name, stream: name, known },
    });
  };
  return deepFreeze({
    name: plan.name,
    streams: plan.streams.map((stream) => stream.spec),
    tenants: plan.tenants,
    open: async (name: string): Promise<StreamReader> => {
      throw new Error(`${plan.name}.${name} has files: it is opened by openFiles`);
    },
    openFiles: (name: string, tenant: Tenant, world: SourceWorld): Promise<FileReader> =>
      openReader(plan, find(name), connections, tenant, world),
  });
}

async function openReader(
  plan: FilesPlan,
  stream: FileStream,
  connections: Connections,
  tenant: Tenant,
  world: SourceWorld,
): Promise<FileReader> {
  const { place, choice, limits } = stream;
  const { source, name } = stream.spec;
  const warn = (message: string): void =>
    world.progress({ type: "warning", source, stream: name, tenant: tenant.id, message });
  switch (place.kind) {
    case "folder": {
      const path = world.places.resolvePath(await renderPath(place.path, tenant, world));
      return new FolderReader(path, choice, limits, { clock: world.clock, warn });
    }
    case "bucket": {
      const url = await renderPath(place.url, tenant, world);
      return new BucketReader(() => world.places.openStore(url), choice, limits, {
        clock: world.clock,
        warn,
      });
    }
    case "page":
    case "listing": {
      const client = new WebClient({
        access: plan.access,
        userAgent: userAgent(plan.userAgent),
        allowedOrigins: plan.allowedOrigins,
        connections,
        place: { source, stream: name, tenant },
        world,
      });
      return place.kind === "page"
        ? new PageReader(client, place, choice, limits)
        : new ListingReader(client, place, choice, limits);
    }
  }
}

/** Fills a tenant's fields into a path; one that is a part of it must not lead out of it. */
async function renderPath(template: Template, tenant: Tenant, world: SourceWorld): Promise<string> {
  const lookups = new Lookups(tenant, world.secrets);
  await lookups.resolve([template]);
  const keepIn = (text: string): string => {
    if (!/[/\\]/.test(text) && text !== "." && text !== "..") return text;
    throw new LeatError("TENANTS_INVALID", {
      message: `Tenant "${tenant.id}" has ${JSON.stringify(text)} where a name of one folder is wanted.`,
      hint: "Give the tenant the whole path and declare the place as this field alone, or name one folder.",
    });
  };
  return lookups.render(template, {}, template.length === 1 ? undefined : keepIn)?.text ?? "";
}
