/** A process that plays cases of the matrix, one after another: `google-worker.ts FOLDER`, started by google-matrix.ts. */
import { type Case, playCase } from "./google-cases.ts";
import { GoogleWorld } from "./google-world.ts";

const world = new GoogleWorld(process.argv[2]!); // As google-matrix.ts starts it.
process.on("message", async (one: Case) => {
  const wrong = await playCase(world, one).catch((error: unknown) => [
    String(error instanceof Error ? error.stack : error),
  ]);
  process.send!(wrong); // It has a parent.
});
