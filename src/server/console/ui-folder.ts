/** Where the built console lies: in the package beside the server's code, in a checkout below `ui`. */
import { existsSync } from "node:fs";

/** From `dist/server/console`, where a build has copied it; and from `src/server/console`, as `vite build` leaves it. */
const places = ["../../ui/", "../../../ui/dist/"];

/** Finds it; `undefined`: it is not built. */
export function findUiFolder(): URL | undefined {
  return places
    .map((place) => new URL(place, import.meta.url))
    .find((folder) => existsSync(new URL("index.html", folder)));
}
