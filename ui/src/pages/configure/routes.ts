/** Routes of the pages of Configure. */
import { createRoute } from "@tanstack/react-router";
import { z } from "zod/mini";
import { lazyPage } from "../../app/lazy-page.ts";
import { rootRoute } from "../../app/root-route.tsx";
import { searchFlag, searchText, searchTexts } from "../../app/search-fields.ts";

const connections = createRoute({
  getParentRoute: () => rootRoute,
  path: "/connections",
  validateSearch: z.object({ find: searchText }),
  component: lazyPage(() => import("./connections-page.tsx"), "ConnectionsPage"),
});

const secrets = createRoute({
  getParentRoute: () => rootRoute,
  path: "/secrets",
  validateSearch: z.object({
    find: searchText,
    sort: searchText,
    hide: searchText,
    /** A new secret is being made. */
    make: searchFlag,
    /** Name of the secret that gets another value. */
    replace: searchText,
  }),
  component: lazyPage(() => import("./secrets-page.tsx"), "SecretsPage"),
});

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: lazyPage(() => import("./settings-page.tsx"), "SettingsPage"),
});

const audit = createRoute({
  getParentRoute: () => rootRoute,
  path: "/audit",
  validateSearch: z.object({
    find: searchText,
    by: searchText,
    kind: searchTexts,
    sort: searchText,
    hide: searchText,
  }),
  component: lazyPage(() => import("./audit-page.tsx"), "AuditPage"),
});

export const configureRoutes = [connections, secrets, settings, audit] as const;
