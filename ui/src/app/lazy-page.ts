/** Pages that are loaded when somebody goes there. */
import { lazyRouteComponent } from "@tanstack/react-router";

/** A page's file did not come: the server is away, or has a new build in which it is called otherwise. */
export class PageNotLoaded extends Error {
  override readonly name = "PageNotLoaded";
}

/** The router reloads the address when a file does not come, which leaves a browser's own page where the server is away. */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(async () => {
    try {
      return await load();
    } catch (cause) {
      throw new PageNotLoaded("A part of the console could not be loaded.", { cause });
    }
  }, name);
