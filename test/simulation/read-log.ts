/** The log of a simulated tenant, read without the code under test but for the manifest's own decoder. */
import { decodeManifest } from "../../src/landing/manifest-codec.ts";
import { isJsonObject, type JsonObject } from "../../src/model/json-value.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import type { Simulation } from "./simulation.ts";
import { hold } from "./violation.ts";

/** A landed row, as its part has it. */
export type LandedRow = Readonly<{
  seq: number;
  generation: number;
  row: number;
  text: string;
  fields: JsonObject;
}>;

/** A tenant's log, and the rows of each package. */
export type TenantLog = Readonly<{
  manifests: readonly Manifest[];
  /** Rows of packages that a reader may see: of the visible generation and not of an open one. */
  visibleRows: readonly LandedRow[];
  /** Rows of every manifest. */
  rows: readonly LandedRow[];
}>;

/** Reads a log; holds it to I1 (dense) and every named part to being there, whole. */
export function readLog(simulation: Simulation, tenant: string): TenantLog {
  const prefix = `log/partner/records/tenant=${tenant}/`;
  const keys = [...simulation.objects.keys()]
    .filter((key) => key.startsWith(prefix) && key.endsWith(".json"))
    .sort();
  const manifests = keys.map((key, index) => {
    const manifest = decodeManifest(simulation.objects.get(key)!.body, key); // The key is from the same map.
    hold(
      manifest.seq === index + 1,
      "I1",
      () => `${key} holds seq ${manifest.seq} at place ${index + 1} of the log`,
    );
    hold(
      key.endsWith(`${String(index + 1).padStart(12, "0")}.json`),
      "I1",
      () => `the log has a gap before ${key}`,
    );
    return manifest;
  });
  const visible = manifests.at(-1)?.visible.number ?? 0;
  const rows = manifests.flatMap((manifest) => rowsOf(simulation, manifest));
  const hidden = new Set(
    manifests
      .filter(({ generation }) => generation.number !== visible || !isCompleted(manifests, generation.number))
      .map(({ seq }) => seq),
  );
  return { manifests, rows, visibleRows: rows.filter(({ seq }) => !hidden.has(seq)) };
}

function isCompleted(manifests: readonly Manifest[], number: number): boolean {
  return (
    number === 0 ||
    manifests.some((m) => m.generation.number === number && m.generation.state === "completed")
  );
}

function rowsOf(simulation: Simulation, manifest: Manifest): LandedRow[] {
  return manifest.parts.flatMap((part) => {
    const object = simulation.objects.get(part.key);
    hold(object !== undefined, "I15", () => `part ${part.key} is named by manifest ${manifest.seq} and gone`);
    hold(object.body.length === part.bytes, "I10", () => `part ${part.key} has ${object.body.length} bytes`);
    const lines = Buffer.from(object.body).toString("utf8").split("\n");
    hold(lines.pop() === "", "I10", () => `part ${part.key} ends in the middle of a line`);
    hold(
      lines.length === part.records,
      "I10",
      () => `part ${part.key} has ${lines.length} rows, not ${part.records}`,
    );
    return lines.map((text) => {
      const fields: unknown = JSON.parse(text);
      hold(isJsonObject(fields), "I10", () => `a row of ${part.key} is not an object`);
      return {
        seq: manifest.seq,
        generation: manifest.generation.number,
        row: Number(fields["_leat_row"]),
        text,
        fields,
      };
    });
  });
}
