/** Who may call the sync app. Supervisors' questions (`/live`, `/ready`) are answered to everybody. */
import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LeatError } from "../../errors/leat-error.ts";
import { readCheckedToken, type VerifyToken } from "../../google/open-token-verifier.ts";

/**
 * How callers are known:
 *
 * - `none`: not at all; the app listens where only friends are.
 * - `iam`: Cloud Run has checked the identity token and taken its signature out; only its address is looked at.
 * - `oidc`: the app itself checks the token, for services that everybody can reach.
 * - `apikey`: a key that both know. Several are right at once while one is replaced by another.
 */
export type AuthOptions = Readonly<
  | { mode: "none" }
  /** `callers`: none: whoever Cloud Run lets pass. */
  | { mode: "iam"; callers: readonly string[] }
  | { mode: "oidc"; callers: readonly string[]; verify: VerifyToken }
  | { mode: "apikey"; readKeys: () => Promise<readonly string[]> }
>;

/** Checks the sender of a request. @throws LeatError `CALLER_UNKNOWN`, `CALLER_FORBIDDEN`. */
export type CheckCaller = (headers: IncomingHttpHeaders) => Promise<void>;

/** Makes the check of a mode. */
export function checkCallers(options: AuthOptions): CheckCaller {
  switch (options.mode) {
    case "none":
      return async () => {};
    case "iam":
      return async (headers) => {
        const { email } = readCheckedToken(readIdentityToken(headers));
        if (options.callers.length > 0) refuseOthers(email, options.callers);
      };
    case "oidc":
      return async (headers) => {
        const { email } = await options.verify(readIdentityToken(headers));
        refuseOthers(email, options.callers);
      };
    case "apikey":
      return async (headers) => {
        const brought = readBearer(headers.authorization) ?? headers["x-api-key"];
        if (typeof brought !== "string") throw unknown("The request has no key.");
        const keys = await options.readKeys();
        // Hashes have one length, so that comparing them takes one time whatever was sent.
        const digest = hash("sha256", brought, "buffer");
        if (!keys.some((key) => timingSafeEqual(digest, hash("sha256", key, "buffer")))) {
          throw unknown("The request's key is not one of the app's.");
        }
      };
  }
}

/** Cloud Run reads its own header first, so that an app can have `Authorization` for itself; so does this. */
function readIdentityToken(headers: IncomingHttpHeaders): string {
  const own = headers["x-serverless-authorization"];
  const token = readBearer(typeof own === "string" ? own : headers.authorization);
  if (token === undefined) throw unknown("The request has no identity token.");
  return token;
}

const readBearer = (header: string | undefined): string | undefined =>
  /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];

const unknown = (message: string): LeatError => new LeatError("CALLER_UNKNOWN", { message });

function refuseOthers(email: string, callers: readonly string[]): void {
  if (callers.includes(email)) return;
  throw new LeatError("CALLER_FORBIDDEN", { message: `${email} may not call this app.`, details: { email } });
}
