/** Where the addresses in a project lead: paths from its folder, stores by their URL. */
import { resolvePlace } from "../config/location.ts";
import { parseStoreLocation } from "../config/store-location.ts";
import type { Places } from "../ports/world.ts";
import { openStore } from "./open-store.ts";

/** Opens the places of a project. @param folder - the project's own. @param signal - ends waits of stores. */
export function openPlaces(folder: string, signal: AbortSignal): Places {
  return {
    resolvePath: (path) => resolvePlace(folder, path),
    openStore: async (url) => openStore(parseStoreLocation(url, "bucket", "bucket", folder), signal),
  };
}
