/**
 * **API key** what a client shows to be known by: `leat_<id>_<secret>`. The store holds its id and the SHA-256 of the
 * secret, which is 256 random bits: there is nothing to guess, and nothing in the store that opens a door.
 *
 * Objects are never changed: a key is one object, that it was revoked is another. So it can be read by many servers and
 * written by many commands at once.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { RequestRate } from "./token-buckets.ts";

/** Goes up when what is written changes; keys of every version must stay readable. */
const keyFormatVersion = 1;

/** Keys at most; a server holds all of them, some 300 bytes each. */
export const keysMax = 20_000;

const keysPrefix = "api/keys/";
const keyObject = (id: string): string => `${keysPrefix}${id}/key.json`;
const revokedObject = (id: string): string => `${keysPrefix}${id}/revoked.json`;

/** A key as it is kept. */
export type ApiKey = Readonly<{
  formatVersion: typeof keyFormatVersion;
  id: string;
  name: string;
  /** Hexadecimal. */
  secretSha256: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  expiresAt: string | null;
  rate: RequestRate | null;
  requestsPerDay: number | null;
}>;

const keySchema: z.ZodType<ApiKey> = z.object({
  formatVersion: z.literal(keyFormatVersion),
  id: z.string(),
  name: z.string(),
  secretSha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  rate: z.object({ perSecond: z.number().positive(), burst: z.number().positive() }).nullable(),
  requestsPerDay: z.int().positive().nullable(),
});

/** What a key may do; `null`: what the server lets every key do. */
export type ApiKeyTerms = Readonly<Pick<ApiKey, "name" | "expiresAt" | "rate" | "requestsPerDay">>;

/** A key, and since when it is not valid any more. */
export type KnownKey = Readonly<{ key: ApiKey; revokedAt: string | undefined }>;

/** Takes a presented key apart; `undefined`: it has not the form of one. */
export function splitKey(text: string): Readonly<{ id: string; secret: string }> | undefined {
  const match = /^leat_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/.exec(text);
  return match === null ? undefined : { id: match[1]!, secret: match[2]! };
}

const hashSecret = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** Whether a secret is the key's. */
export const hasSecret = (key: ApiKey, secret: string): boolean =>
  timingSafeEqual(hashSecret(secret), Buffer.from(key.secretSha256, "hex"));

/**
 * Makes a key and stores what is kept of it.
 *
 * @returns the key as its owner must present it: it cannot be had again.
 */
export async function createKey(
  store: ObjectStore,
  terms: ApiKeyTerms,
  nowMs: number,
): Promise<Readonly<{ key: ApiKey; text: string }>> {
  const id = randomBytes(6).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const key: ApiKey = {
    formatVersion: keyFormatVersion,
    id,
    ...terms,
    secretSha256: hashSecret(secret).toString("hex"),
    createdAt: new Date(nowMs).toISOString(),
  };
  const outcome = await store.create(keyObject(id), Buffer.from(`${JSON.stringify(key)}\n`));
  if (outcome === "exists") return await createKey(store, terms, nowMs); // One in 2^48 for each key there is.
  return { key, text: `leat_${id}_${secret}` };
}

/**
 * Revokes a key for good.
 *
 * @returns false when it was revoked before.
 * @throws LeatError `KEY_UNKNOWN`
 */
export async function revokeKey(store: ObjectStore, id: string, nowMs: number): Promise<boolean> {
  if ((await readKey(store, id)) === undefined)
    throw new LeatError("KEY_UNKNOWN", { message: `There is no API key "${id}" in ${store.url}.` });
  const revoked = Buffer.from(`${JSON.stringify({ revokedAt: new Date(nowMs).toISOString() })}\n`);
  return (await store.create(revokedObject(id), revoked)) === "created";
}

/** Reads a key; `undefined`: there is none of this id. */
export async function readKey(store: ObjectStore, id: string): Promise<ApiKey | undefined> {
  if (!/^[0-9a-f]{12}$/.test(id)) return undefined;
  const bytes = await store.read(keyObject(id));
  return bytes === undefined ? undefined : parseKey(bytes, keyObject(id));
}

function parseKey(bytes: Uint8Array, object: string): ApiKey {
  try {
    return keySchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw new LeatError("MANIFEST_INVALID", {
      message: `The API key ${object} cannot be understood.`,
      details: { object },
      cause,
    });
  }
}

/**
 * Reads all keys, oldest first. What is known already is not read again, but for whether it was revoked.
 *
 * @throws LeatError `RUN_BOUND_REACHED` beyond `keysMax`.
 */
export async function listKeys(
  store: ObjectStore,
  known: ReadonlyMap<string, KnownKey> = new Map(),
): Promise<ReadonlyMap<string, KnownKey>> {
  const ids = new Set<string>();
  const revoked = new Set<string>();
  for await (const { key } of store.list(keysPrefix)) {
    const match = /^([0-9a-f]{12})\/(key|revoked)\.json$/.exec(key.slice(keysPrefix.length));
    if (match !== null) (match[2] === "key" ? ids : revoked).add(match[1]!);
    if (ids.size > keysMax)
      throw new LeatError("RUN_BOUND_REACHED", {
        message: `There are more than ${keysMax} API keys in ${store.url}.`,
        hint: "Put a gateway in front that knows your clients, and serve without keys.",
      });
  }
  const found: KnownKey[] = [];
  for (const id of ids) {
    const before = known.get(id);
    const key = before?.key ?? (await readKey(store, id));
    if (key === undefined) continue;
    const revokedAt = before?.revokedAt ?? (revoked.has(id) ? await readRevoked(store, id) : undefined);
    found.push({ key, revokedAt });
  }
  found.sort((one, other) => one.key.createdAt.localeCompare(other.key.createdAt));
  return new Map(found.map((each) => [each.key.id, each]));
}

/** When a key was revoked. That it was counts, whatever the object says. */
async function readRevoked(store: ObjectStore, id: string): Promise<string> {
  const bytes = await store.read(revokedObject(id));
  const match = /"revokedAt":"([^"]{1,40})"/.exec(Buffer.from(bytes ?? "").toString("utf8"));
  return match?.[1] ?? "unknown";
}
