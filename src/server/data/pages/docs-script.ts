/** The script of the API's documentation (4 MB), from the installed library and not from a network. */
import fastify from "fastify";

/** Reads it. The library hands it out on a route of a server only; so it is given one that never listens. */
export async function readDocsScript(): Promise<Uint8Array> {
  const { default: reference } = await import("@scalar/fastify-api-reference");
  const app = fastify();
  await app.register(reference, { routePrefix: "/docs", configuration: { url: "/openapi.json" } });
  const { rawPayload } = await app.inject({ url: "/docs/js/scalar.js" });
  await app.close();
  return rawPayload;
}
