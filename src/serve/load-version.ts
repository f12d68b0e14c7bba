/** A published version becomes one that can be asked: checked, copied, loaded by the engine, read into memory. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import { parseColumnType } from "../model/column-types.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { DatasetQueryEngine } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { checkRoute } from "./check-route.ts";
import { DatasetView } from "./dataset-view.ts";
import { Pack, readPack } from "./pack.ts";
import type { RenderThread } from "./render-thread.ts";
import { planOrders } from "./route-plan.ts";
import type { ScanThread } from "./scan-thread.ts";
import { stageParts } from "./stage-version.ts";

/** What loading works with. */
export type LoadTools = Readonly<{
  spec: ApiSpec;
  store: ObjectStore;
  engine: DatasetQueryEngine;
  renderer: RenderThread;
  scanner: ScanThread;
  /** Where versions have their folders. */
  folder: string;
  packBytesMax: number;
}>;

/**
 * Loads a version beside whatever is served.
 *
 * @param id - new for each load: the same version may be dropped and loaded again.
 * @param onHead - takes the version's first rows, which are there long before the rest.
 * @throws LeatError `VERSION_REFUSED`, `PART_MISSING`, `PART_CORRUPT`, `DATASET_TOO_LARGE`; nothing is left behind.
 */
export async function loadVersion(
  tools: LoadTools,
  manifest: DatasetManifest,
  id: string,
  signal: AbortSignal,
  onHead?: (head: DatasetView) => void,
): Promise<DatasetView> {
  checkVersion(tools.spec, manifest);
  const folder = join(tools.folder, id);
  await mkdir(folder, { recursive: true });
  try {
    const partPaths: string[] = [];
    let heading: Promise<void> = Promise.resolve();
    for await (const path of stageParts(tools.store, manifest, folder, signal)) {
      if (partPaths.push(path) === 1 && onHead !== undefined)
        heading = showHead(tools, { id, manifest, path, folder }, onHead, signal);
    }
    await heading; // The engine is not to begin the long work before the short.
    const orders = planOrders(tools.spec.routes, manifest.dataset, manifest.schema.sort);
    const { packBytesMax } = tools;
    const loaded = await tools.engine.load(
      { id, manifest, paths: partPaths, orders, packBytesMax, folder },
      signal,
    );
    try {
      const memory = await readPack(loaded.path, loaded.layout);
      await rm(loaded.path, { force: true });
      tools.renderer.add(id, memory);
      tools.scanner.add(id, memory);
      return new DatasetView({ id, manifest, pack: new Pack(memory), folder, partPaths });
    } catch (error) {
      await tools.engine.drop(id);
      throw error;
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Rows that are there before the rest: five windows of the console; some 10 ms of a wide dataset. */
const headRows = 1000;

/** Whatever goes wrong here goes wrong when the whole is loaded, and is told then. */
async function showHead(
  { engine }: LoadTools,
  { id, manifest, path, folder }: { id: string; manifest: DatasetManifest; path: string; folder: string },
  onHead: (head: DatasetView) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { bytes, layout } = await engine.readHead({ manifest, path, rowsMax: headRows }, signal);
    const memory = new SharedArrayBuffer(bytes.byteLength);
    new Uint8Array(memory).set(bytes);
    const pack = new Pack({ memory, layout });
    onHead(new DatasetView({ id, manifest, pack, folder, partPaths: [], isHead: true }));
  } catch {
    // As above.
  }
}

/** Gives back all that a version holds, once nobody asks it any more. */
export async function unloadVersion(tools: LoadTools, view: DatasetView): Promise<void> {
  await view.drop();
  tools.renderer.drop(view.id);
  tools.scanner.drop(view.id);
  await tools.engine.drop(view.id);
  await rm(view.folder, { recursive: true, force: true });
}

/** Refuses a version that the API cannot be served from, naming every reason. */
function checkVersion(spec: ApiSpec, { dataset, version, schema }: DatasetManifest): void {
  const faults: string[] = [];
  for (const { name, type } of schema.columns)
    if (parseColumnType(type) === undefined) faults.push(`column ${name} has the unknown type ${type}`);
  if (schema.tenantColumn !== null && !spec.servesTenantRows)
    faults.push(`its rows belong to tenants (${schema.tenantColumn}), and everybody could read them`);
  for (const route of spec.routes.filter((each) => each.dataset === dataset))
    for (const { where, problem } of checkRoute(route, schema))
      faults.push(`route ${route.path}, ${where}: ${problem}`);
  if (faults.length === 0) return;
  throw new LeatError("VERSION_REFUSED", {
    message: `The version ${version} of ${dataset} cannot be served: ${faults.join("; ")}.`,
    details: { dataset, version, faults },
  });
}
