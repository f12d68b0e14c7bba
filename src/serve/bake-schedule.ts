/** Makes export files of versions in the background, one version at a time. */
import type { DatasetQueryEngine } from "../ports/dataset-query.ts";
import type { DatasetView } from "./dataset-view.ts";
import type { RenderThread } from "./render-thread.ts";

type Bake = Readonly<{ controller: AbortController; done: Promise<void> }>;

export class BakeSchedule {
  readonly #tools: Readonly<{ engine: DatasetQueryEngine; renderer: RenderThread }>;
  readonly #bytesMax: number;
  readonly #onError: (error: unknown) => void;
  readonly #bakes = new Map<string, Bake>();
  #last: Promise<void> = Promise.resolve();

  /** @param bytesMax - largest file; 0: none are made. */
  constructor(
    tools: Readonly<{ engine: DatasetQueryEngine; renderer: RenderThread }>,
    bytesMax: number,
    onError: (error: unknown) => void,
  ) {
    this.#tools = tools;
    this.#bytesMax = bytesMax;
    this.#onError = onError;
  }

  add(view: DatasetView): void {
    if (this.#bytesMax === 0 || this.#bakes.has(view.id)) return;
    const controller = new AbortController();
    const release = view.hold();
    const done = this.#last
      .then(() => this.#bake(view, controller.signal))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) this.#onError(error);
      })
      .finally(() => {
        release();
        this.#bakes.delete(view.id);
      });
    this.#last = done;
    this.#bakes.set(view.id, { controller, done });
  }

  async #bake(view: DatasetView, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { id, names: columns, pack } = view;
    await view.exports.bake(
      { ...this.#tools, id, columns, packBytes: pack.bytes, bytesMax: this.#bytesMax },
      signal,
    );
  }

  /** Stops what is being made of a version. */
  async cancel(view: DatasetView): Promise<void> {
    const bake = this.#bakes.get(view.id);
    bake?.controller.abort();
    await bake?.done;
  }

  /** Resolves when all that was added is made. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
