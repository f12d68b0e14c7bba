/**
 * Secret Manager's one method that is used: `access`.
 *
 * @see https://docs.cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
 */
import { type FakeServer, startFake } from "./fake-server.ts";

/** A running fake. `versions`: full name of a version → its value; `undefined`: it is disabled. */
export interface FakeSecretManager extends FakeServer {
  readonly versions: Map<string, string | undefined>;
}

/** Starts it. Requests without a token are 401, as are those without the right one. */
export async function startSecretManager(accessToken: string): Promise<FakeSecretManager> {
  const versions = new Map<string, string | undefined>();
  const fake = await startFake(({ path, headers }) => {
    if (headers.authorization !== `Bearer ${accessToken}`) {
      return { status: 401, body: { error: { code: 401, status: "UNAUTHENTICATED" } } };
    }
    const name = /^\/v1\/(.+):access$/.exec(decodeURIComponent(path))?.[1] ?? "";
    if (!versions.has(name)) return { status: 404, body: { error: { code: 404, status: "NOT_FOUND" } } };
    const value = versions.get(name);
    if (value === undefined)
      return { status: 400, body: { error: { code: 400, status: "FAILED_PRECONDITION" } } };
    return { status: 200, body: { name, payload: { data: Buffer.from(value).toString("base64") } } };
  });
  return { ...fake, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](), versions };
}
