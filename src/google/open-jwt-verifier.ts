/** Verifies signed tokens by the keys that their issuer shows: signature, issuer, audience and times. */
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { Clock } from "../ports/world.ts";
import { importAuth } from "./open-google-api.ts";

/** Who must have issued a token, and for whom. */
export type JwtTerms = Readonly<{ issuer: string; audience: string; keysUrl: string }>;

/** What a token says. @throws LeatError `SIGN_IN_FAILED`, no part of the token is told. */
export type VerifyJwt = (token: string, terms: JwtTerms) => Promise<Readonly<Record<string, unknown>>>;

/** How long keys are kept, ms, and how soon they are asked for again where a token names one that is not among them. */
const keysMs = 3_600_000;
const askedAgainMs = 30_000;

/** How long keys are waited for, ms. */
const answerMs = 10_000;

/** Keys of one issuer at most; each is some hundred bytes. */
const keysMax = 100;

type KnownKeys = Readonly<{ keys: Readonly<Record<string, string>>; readAtMs: number }>;

/**
 * Opens a verifier. Keys are fetched when the first token comes.
 *
 * @throws LeatError `DEPENDENCY_MISSING`.
 */
export async function openJwtVerifier(clock: Clock): Promise<VerifyJwt> {
  const { OAuth2Client } = await importAuth("Signing in behind Google's proxy");
  const client = new OAuth2Client();
  const known = new Map<string, KnownKeys>();
  const readKeys = async (url: string, keyId: string | undefined): Promise<KnownKeys["keys"]> => {
    const before = known.get(url);
    const ageMs = clock.nowMs() - (before?.readAtMs ?? Number.NEGATIVE_INFINITY);
    const isThere = keyId !== undefined && before !== undefined && Object.hasOwn(before.keys, keyId);
    if (before !== undefined && ageMs < (isThere ? keysMs : askedAgainMs)) return before.keys;
    const keys = await fetchKeys(url);
    known.set(url, { keys, readAtMs: clock.nowMs() });
    return keys;
  };
  return async (token, { issuer, audience, keysUrl }) => {
    const keys = await readKeys(keysUrl, keyIdOf(token));
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(token, keys, audience, [issuer]);
      return { ...ticket.getPayload() };
    } catch (error) {
      throw explain(error);
    }
  };
}

/** Read to choose a key alone; the verifier reads it again, and believes nothing before it has verified. */
function keyIdOf(token: string): string | undefined {
  try {
    const head: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString("utf8"));
    const id = typeof head === "object" && head !== null && "kid" in head ? head.kid : undefined;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

async function fetchKeys(url: string): Promise<KnownKeys["keys"]> {
  let body: unknown;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerMs), redirect: "error" });
    if (!answer.ok) throw new Error(`answered with ${answer.status}`);
    body = await answer.json();
  } catch (cause) {
    throw new LeatError("SIGN_IN_FAILED", { message: `The keys at ${url} cannot be read.`, cause });
  }
  const listed = typeof body === "object" && body !== null && "keys" in body ? body.keys : undefined;
  const keys = Array.isArray(listed) ? (listed.slice(0, keysMax) as readonly JsonWebKey[]) : []; // Each is tried.
  return Object.fromEntries(
    keys.flatMap((key): readonly (readonly [string, string])[] => {
      const id = key["kid"];
      if (typeof id !== "string" || key["use"] === "enc") return [];
      try {
        const pem = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
        return [[id, String(pem)]];
      } catch {
        return []; // Of a kind that this Node does not know; tokens signed with it are refused.
      }
    }),
  );
}

/** The library's messages quote the token, so only their beginnings are looked at. */
function explain(error: unknown): LeatError {
  const said = error instanceof Error ? error.message : "";
  const reasons: readonly (readonly [string, string])[] = [
    ["Token used too late", "has expired"],
    ["Token used too early", "is not valid yet: compare the clocks"],
    ["Wrong recipient", "was issued for somebody else"],
    ["Invalid issuer", "comes from another issuer"],
    ["Invalid token signature", "has a wrong signature"],
    ["No pem found", "was signed with a key that its issuer does not show"],
    ["Expiration time too far", "is valid for too long"],
  ];
  const reason = reasons.find(([start]) => said.startsWith(start))?.[1] ?? "cannot be read";
  return new LeatError("SIGN_IN_FAILED", { message: `The identity token ${reason}.` });
}
