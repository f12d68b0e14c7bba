/** What every answer is made with. */

import type { ApiSpec } from "../ports/api-spec.ts";
import type { DatasetQueryEngine } from "../ports/dataset-query.ts";
import type { RenderThread } from "./render-thread.ts";
import type { ResultCache } from "./result-cache.ts";
import type { ScanThread } from "./scan-thread.ts";

export type ServeContext = Readonly<{
  spec: ApiSpec;
  /** Changes with the declaration and with how answers are printed: part of every tag. */
  apiTag: string;
  engine: DatasetQueryEngine;
  cache: ResultCache;
  renderer: RenderThread;
  scanner: ScanThread;
  /** Seals cursors. */
  cursorKey: Buffer;
  /** For files of one answer. */
  folder: string;
  /** What goes on at the moment. */
  load: { exports: number };
}>;
