/**
 * Secrets of Secret Manager: `gcp-secret:projects/<project>/secrets/<name>[/versions/<version>]`.
 *
 * A value is kept in memory, so that a thousand syncs an hour ask a few times. A numbered version never changes and is
 * kept for good; `latest`, which is meant where none is named, is asked for again after some minutes: so long after a
 * rotation the old value may still be sent, and a partner should take both for that time.
 */
import { LeatError } from "../errors/leat-error.ts";
import { type GoogleApi, openGoogleApi } from "../google/open-google-api.ts";
import type { Clock } from "../ports/world.ts";

/** The part behind `gcp-secret:`, checked. */
export type GoogleSecretName = Readonly<{
  /** `projects/…/secrets/…/versions/…` */
  version: string;
  location: string | undefined;
  isPinned: boolean;
}>;

/** Resolves the part behind `gcp-secret:`. */
export type ResolveGoogleSecret = (name: string) => Promise<string>;

/** How long the newest version is believed to be the newest, ms. */
const latestMs = 5 * 60_000;
/** How long a value outlives its time while Secret Manager does not answer, ms: an outage must not stop every sync. */
const outageMsMax = 60 * 60_000;

const form =
  /^(projects\/[\w.:-]+(?:\/locations\/([a-z0-9-]+))?\/secrets\/[\w-]{1,255})(?:\/versions\/(latest|\d{1,18}|[a-z][\w-]{0,62}))?$/;

/**
 * Reads a name.
 *
 * @throws LeatError `CONFIG_INVALID`; the text is not told: somebody may have written the secret itself.
 */
export function parseGoogleSecret(name: string): GoogleSecretName {
  const [, secret, location, version = "latest"] = form.exec(name) ?? [];
  if (secret === undefined) {
    throw new LeatError("CONFIG_INVALID", {
      message: "A secret's reference begins with gcp-secret: and does not name a secret of Secret Manager.",
      hint: "Write it as gcp-secret:projects/my-project/secrets/partner-key/versions/latest.",
    });
  }
  return { version: `${secret}/versions/${version}`, location, isPinned: /^\d+$/.test(version) };
}

/** What the secrets work with. */
export type GoogleSecretsOptions = Readonly<{
  clock: Clock;
  /** `LEAT_SECRET_MANAGER_URL`; `undefined`: Google's, in the secret's own region where it has one. */
  url: string | undefined;
}>;

type Kept = Readonly<{ value: Promise<string>; readAtMs: number }>;

/** Opens the secrets. Nothing is asked before the first is needed. */
export function openGoogleSecrets({ clock, url }: GoogleSecretsOptions): ResolveGoogleSecret {
  const kept = new Map<string, Kept>();
  let api: Promise<GoogleApi> | undefined;
  return async (name) => {
    const secret = parseGoogleSecret(name);
    const { version, isPinned } = secret;
    const known = kept.get(version);
    const nowMs = clock.nowMs();
    if (known !== undefined && (isPinned || nowMs - known.readAtMs < latestMs)) return known.value;
    api ??= openGoogleApi("Secret Manager", clock);
    const value = api
      .then((opened) => readSecret(opened, secret, url))
      .catch((error: unknown) => {
        const isAway = error instanceof LeatError && error.code === "CLOUD_UNAVAILABLE";
        if (isAway && known !== undefined && nowMs - known.readAtMs < outageMsMax) {
          kept.set(version, known); // With its own time: the next one asks again.
          return known.value;
        }
        kept.delete(version);
        throw error;
      });
    kept.set(version, { value, readAtMs: nowMs }); // At once, so that many who ask together ask once.
    return value;
  };
}

async function readSecret(
  api: GoogleApi,
  secret: GoogleSecretName,
  url: string | undefined,
): Promise<string> {
  const host = secret.location === undefined ? "" : `.${secret.location}.rep`;
  const base = url ?? `https://secretmanager${host}.googleapis.com`;
  const reference = `gcp-secret:${secret.version}`;
  const answer = await api.request(
    {
      method: "GET",
      url: `${base}/v1/${secret.version}:access`,
      role: "roles/secretmanager.secretAccessor",
      expected: [400, 404], // 400: the version is disabled or destroyed.
    },
    AbortSignal.timeout(secretMsMax),
  );
  if (answer.status === 404 || answer.status === 400) {
    throw new LeatError("SECRET_MISSING", {
      message: `The secret ${reference} ${answer.status === 404 ? "does not exist" : "is disabled or destroyed"}.`,
      hint: "Add a version: gcloud secrets versions add <name> --data-file=-",
      details: { reference },
    });
  }
  const value = decodePayload(answer.body);
  if (value !== undefined && value !== "") return value;
  throw new LeatError("SECRET_MISSING", {
    message: `The secret ${reference} ${value === "" ? "is empty" : "came without a value"}.`,
    details: { reference },
  });
}

/** Longest wait for one secret, with the tries of its request, ms. */
const secretMsMax = 60_000;

/** `{ payload: { data: base64 } }`; without the line break that `echo` adds. */
function decodePayload(body: unknown): string | undefined {
  const payload = typeof body === "object" && body !== null && "payload" in body ? body.payload : undefined;
  const data =
    typeof payload === "object" && payload !== null && "data" in payload ? payload.data : undefined;
  if (typeof data !== "string") return undefined;
  return Buffer.from(data, "base64")
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
