/** Who sends a request, from an identity token of Google: verified, or read where Cloud Run has verified it. */
import { LeatError } from "../errors/leat-error.ts";
import { importAuth } from "./open-google-api.ts";

/** What a token says of its bearer. */
export type Caller = Readonly<{ email: string }>;

/** Verifies a token. @throws LeatError `CALLER_UNKNOWN`, `CLOUD_UNAVAILABLE`; no part of the token is told. */
export type VerifyToken = (token: string) => Promise<Caller>;

/** What is verified. */
export type VerifierOptions = Readonly<{
  /** For whom the token must have been issued: the service's address. */
  audience: string;
  /** Where the issuer's certificates are; default Google's. */
  certificatesUrl?: string | undefined;
}>;

/**
 * Opens a verifier: signature, issuer, audience and times. The issuer's certificates are kept as long as it allows.
 *
 * @throws LeatError `DEPENDENCY_MISSING`.
 */
export async function openTokenVerifier(options: VerifierOptions): Promise<VerifyToken> {
  const { OAuth2Client } = await importAuth("Verifying identity tokens");
  const client = new OAuth2Client(
    options.certificatesUrl === undefined
      ? {}
      : { endpoints: { oauth2FederatedSignonPemCertsUrl: options.certificatesUrl } },
  );
  return async (idToken) => {
    try {
      const ticket = await client.verifyIdToken({ idToken, audience: options.audience });
      return readClaims(ticket.getPayload());
    } catch (error) {
      if (error instanceof LeatError) throw error;
      throw explain(error);
    }
  };
}

/** The library's messages quote the token, so only their beginnings are looked at. */
function explain(error: unknown): LeatError {
  const said = error instanceof Error ? error.message : "";
  if (said.startsWith("Failed to retrieve verification certificates")) {
    return new LeatError("CLOUD_UNAVAILABLE", {
      message: "The certificates of the issuer of identity tokens cannot be fetched.",
      hint: "Try again later. An app behind Cloud Run's own check needs none: LEAT_AUTH=iam.",
    });
  }
  const reasons: readonly (readonly [string, string])[] = [
    ["Token used too late", "has expired"],
    ["Token used too early", "is not valid yet: compare the clocks"],
    ["Wrong recipient", "was issued for another audience than LEAT_AUTH_AUDIENCE"],
    ["Invalid issuer", "comes from another issuer"],
    ["Invalid token signature", "has a wrong signature"],
    ["No pem found", "was signed with a key that its issuer does not show"],
  ];
  const reason = reasons.find(([start]) => said.startsWith(start))?.[1] ?? "cannot be read";
  return new LeatError("CALLER_UNKNOWN", { message: `The identity token ${reason}.` });
}

/** What Cloud Run puts in place of a signature that it has verified; see its page on troubleshooting. */
const removedSignature = "SIGNATURE_REMOVED_BY_GOOGLE";

/**
 * Reads a token that Cloud Run has verified before it let the request pass. Only where its own check is switched on:
 * anybody can write such a token.
 *
 * @throws LeatError `CALLER_UNKNOWN`.
 */
export function readCheckedToken(token: string): Caller {
  const [, claims, signature, ...rest] = token.split(".");
  if (claims === undefined || signature === undefined || rest.length > 0) {
    throw new LeatError("CALLER_UNKNOWN", { message: "The identity token cannot be read." });
  }
  if (signature !== removedSignature) {
    throw new LeatError("CALLER_UNKNOWN", {
      message: "The identity token was not checked by Cloud Run.",
      hint: "Require authentication of the service's callers, or set LEAT_AUTH=oidc to have the app check tokens.",
    });
  }
  try {
    return readClaims(JSON.parse(Buffer.from(claims, "base64url").toString("utf8")));
  } catch (error) {
    if (error instanceof LeatError) throw error;
    throw new LeatError("CALLER_UNKNOWN", { message: "The identity token cannot be read." });
  }
}

function readClaims(payload: unknown): Caller {
  const claims = typeof payload === "object" && payload !== null ? payload : {};
  const email = "email" in claims ? claims.email : undefined;
  const isVerified = !("email_verified" in claims) || claims.email_verified === true;
  if (typeof email === "string" && email !== "" && isVerified) return { email };
  throw new LeatError("CALLER_UNKNOWN", {
    message: "The identity token names no verified address.",
    hint: "Ask for a token that includes the email of the service account.",
  });
}
