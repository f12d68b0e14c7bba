/** A process that extracts files once, to be killed in the middle: `node files-child.ts <page> <landing folder>`. */
import { openFsStore } from "../../../src/stores/fs/open-fs-store.ts";
import { realClock, testWorld } from "../test-world.ts";
import { oneStream, openFilesLanding } from "./files-landing.ts";

const [, , page = "", folder = ""] = process.argv;
const landing = openFilesLanding(oneStream({ page, match: "*.csv" }), {
  store: openFsStore(folder),
  world: testWorld({ clock: realClock }),
});
await landing.run();
