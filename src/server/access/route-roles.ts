/** Which role each route of the control API needs, as data. A route that is not listed does not start. */

/** From the least to the most: who looks, who runs, who sets up. Each may do what the ones before it may. */
export const roles = ["viewer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

/** `open`: everybody, because the route asks for something of its own, or tells nothing. */
export type RouteRole = Role | "open";

/** Whether somebody of a role may do what needs another one. */
export const mayAct = (has: Role, needs: Role): boolean => roles.indexOf(has) >= roles.indexOf(needs);

const reads = [
  "/api/openapi.json",
  "/api/home",
  "/api/tree",
  "/api/search",
  "/api/live",
  "/api/flows",
  "/api/deployments",
  "/api/schedules",
  "/api/workers",
  "/api/pools",
  "/api/events",
  "/api/events/stream",
  "/api/runs",
  "/api/runs/counts",
  "/api/runs/:id",
  "/api/runs/:id/tasks",
  "/api/runs/:id/artifacts",
  "/api/runs/:id/logs",
  "/api/runs/:id/logs/stream",
  "/api/runs/:id/logs/marks",
  "/api/runs/:id/logs/find",
  "/api/runs/:id/logs/file",
  "/api/lineage",
  "/api/sources",
  "/api/tenants",
  "/api/streams",
  "/api/streams/:id",
  "/api/streams/:id/packages",
  "/api/streams/:id/packages/:seq",
  "/api/streams/:id/rows",
  "/api/streams/:id/facets",
  "/api/streams/:id/export",
  "/api/files",
  "/api/files/preview",
  "/api/files/check",
  "/api/files/content",
  "/api/loads",
  "/api/streams/:id/tenants/:tenant",
  "/api/streams/:id/loads",
  "/api/streams/:id/rejects",
  "/api/streams/:id/schema",
  "/api/alerts",
  "/api/alerts/history",
  "/api/connections",
  "/api/settings",
  "/api/datasets",
  "/api/datasets/:id/versions",
  "/api/datasets/:id/diff",
  "/api/data/*",
  "/api/sql-engine",
  "/api/sql-engine/:version/:name",
] as const;

const workReads = [
  "/api/secrets", // Their names say what a project can reach.
] as const;

const setups = ["PUT /api/secrets/:name", "POST /api/alerts", "DELETE /api/alerts/:id"] as const;

const works = [
  "POST /api/alerts/:id/test",
  "POST /api/connections/:id/test",
  "POST /api/deployments/:id/runs",
  "POST /api/schedules/:id/pause",
  "POST /api/schedules/:id/resume",
  "POST /api/schedules/:id/backfill",
  "POST /api/runs/retry",
  "POST /api/runs/cancel",
  "POST /api/runs/:id/retry",
  "POST /api/runs/:id/cancel",
  "POST /api/runs/:id/answer",
  "PUT /api/streams/:id/tenants/:tenant/cursor",
] as const;

const opens = [
  "GET /live", // A supervisor's.
  "POST /api/hooks/:id", // Each webhook has a secret of its own.
  "GET /api/session", // Tells how to sign in.
  "POST /api/session",
  "DELETE /api/session",
  "GET /api/session/oidc",
  "GET /api/session/oidc/callback",
] as const;

/** Routes that answer HEAD by themselves. */
const heads = ["/api/data/*"] as const;

/** `METHOD /address` → role. */
export const routeRoles: ReadonlyMap<string, RouteRole> = new Map<string, RouteRole>([
  ...opens.map((route) => [route, "open"] as const),
  ...reads.map((url) => [`GET ${url}`, "viewer"] as const),
  ...heads.map((url) => [`HEAD ${url}`, "viewer"] as const),
  ...workReads.map((url) => [`GET ${url}`, "operator"] as const),
  ...works.map((route) => [route, "operator"] as const),
  ...setups.map((route) => [route, "admin"] as const),
]);
