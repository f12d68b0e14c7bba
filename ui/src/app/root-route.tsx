/** The root of all routes: the shell, and the scope that every page keeps in its address. */
import { createRootRoute, retainSearchParams } from "@tanstack/react-router";
import { z } from "zod/mini";
import { AppShell } from "./app-shell.tsx";
import { CrashedPage, UnknownPage } from "./odd-pages.tsx";
import { searchText } from "./search-fields.ts";

const search = z.object({
  /** Tenant that pages are narrowed to. */
  tenant: searchText,
});

export const rootRoute = createRootRoute({
  validateSearch: search,
  search: { middlewares: [retainSearchParams(["tenant"])] },
  component: AppShell,
  notFoundComponent: UnknownPage,
  errorComponent: CrashedPage,
});
