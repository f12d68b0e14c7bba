/** Which packages of a log a warehouse still needs (PROTOCOL I11, I12). Pure. */
import type { Head } from "../landing/log.ts";

/** A package to load, and what it does to the visible generation. */
export type PlannedPackage = Readonly<{ head: Head; completesGeneration: boolean }>;

/**
 * Plans the load of one tenant.
 *
 * Packages of an open generation wait until its completing manifest is there; once a manifest of another run follows,
 * nobody will ever complete it, and they are left out.
 *
 * @param packages - manifests of kind `data` or `forget` after the newest one loaded, oldest first.
 * @returns packages in the order of seq.
 */
export function planLoad(packages: readonly Head[]): readonly PlannedPackage[] {
  const gone = new Set(packages.flatMap(({ manifest }) => manifest.forgets));
  const planned: PlannedPackage[] = [];
  let held: PlannedPackage[] = [];
  for (const head of packages) {
    const { manifest } = head;
    if (manifest.kind !== "data" || gone.has(manifest.seq)) continue;
    switch (manifest.generation.state) {
      case "open":
        if (held[0]?.head.manifest.runId !== manifest.runId) held = [];
        held.push({ head, completesGeneration: false });
        break;
      case "completed": {
        const isSame = held[0]?.head.manifest.runId === manifest.runId;
        planned.push(...(isSame ? held : []), { head, completesGeneration: true });
        held = [];
        break;
      }
      case "visible":
        held = [];
        planned.push({ head, completesGeneration: false });
        break;
    }
  }
  return planned;
}
