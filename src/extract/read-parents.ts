/** Partitions from a parent stream: the values of one field in its landed, visible records (DESIGN §1, I5). */

import { readHead, walkPackages } from "../landing/log.ts";
import { readPart } from "../landing/part-reader.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { OpenScanner } from "../scan/record-batch.ts";
import { tokenText } from "./cursor-token.ts";

/** Parents that came after `afterSeq`, in the order they were landed, each once. */
export type Parents = Readonly<{
  values: readonly string[] /** Newest seq of the parent's log that was read. */;
  seq: number;
}>;

/**
 * Reads the parents landed since a seq of the parent's log. Requests: one a package, and its parts.
 *
 * Rows that lost their generation since may still be named: a partition too many costs a request, one too few rows.
 */
export async function readParents(
  ports: Readonly<{ store: ObjectStore; openScanner: OpenScanner }>,
  parent: StreamPlace,
  field: string,
  afterSeq: number,
): Promise<Parents> {
  const head = await readHead(ports.store, parent);
  if (head === undefined) return { values: [], seq: 0 };
  const packages: Manifest[] = [];
  const gone = new Set<number>();
  for await (const { manifest } of walkPackages(ports.store, parent, head, afterSeq)) {
    for (const seq of manifest.forgets) gone.add(seq); // Newest first: known before what it is about is met.
    if (manifest.kind === "data" && !gone.has(manifest.seq)) packages.unshift(manifest);
  }
  const values = new Set<string>();
  for (const manifest of packages) {
    for (const part of manifest.parts) {
      const scanner = ports.openScanner({ selector: { form: "lines" }, fields: [field], reserved: [] });
      const add = () => {
        for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
          for (let i = 0; i < batch.count; i++) {
            const start = batch.fieldStarts[i] ?? -1;
            const text = start < 0 ? undefined : tokenText(batch.bytes, start, batch.fieldEnds[i] ?? -1);
            if (text !== undefined) values.add(text);
          }
        }
      };
      for await (const chunk of readPart(ports.store, part)) {
        scanner.push(chunk);
        add();
      }
      scanner.end();
      add();
    }
  }
  return { values: [...values], seq: head.manifest.seq };
}
