/** Where the addresses in a project lead: paths from its folder, stores by their URL. */
import { parseLocation, resolvePlace } from "../config/location.ts";
import type { Places } from "../ports/world.ts";

/** Opens the places of a project. @param folder - the project's own. */
export function openPlaces(folder: string): Places {
  return {
    resolvePath: (path) => resolvePlace(folder, path),
    async openStore(url) {
      const { path } = parseLocation(url, "bucket", "bucket", folder);
      const { openFsStore } = await import("../stores/fs/open-fs-store.ts");
      return openFsStore(path);
    },
  };
}
