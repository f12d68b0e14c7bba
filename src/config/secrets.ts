/** Secrets by reference, and the taking of their values out of anything that is told. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { Secrets } from "../ports/world.ts";
import { type Environment, isMissing } from "./environment.ts";
import type { ResolveGoogleSecret } from "./google-secrets.ts";

/** Secrets that also know what must never be told. */
export interface GuardedSecrets extends Secrets {
  /** Replaces every value resolved so far, also percent- or base64-encoded, by the name of its reference. */
  redact(text: string): string;
}

/** Shorter values are not searched for: `1` or `no` would blank half of every message. */
const redactedLengthMin = 6;

/**
 * Opens the secrets of a project: `env:NAME` (the environment, into which `.env` was read), `file:PATH`, and
 * `gcp-secret:` of Secret Manager.
 *
 * @param places - `folder`: where relative paths begin. `dotenvPath`: told in messages.
 */
export function openSecrets(
  environment: Environment,
  places: Readonly<{ folder: string; dotenvPath: string }>,
  resolveGoogle: ResolveGoogleSecret,
): GuardedSecrets {
  const seen = new Map<string, string>();
  const remember = (value: string, reference: string): string => {
    if (value.length >= redactedLengthMin) {
      for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString("base64")]) {
        seen.set(form, `[secret ${reference}]`);
      }
    }
    return value;
  };
  return {
    async resolve(reference) {
      const scheme = /^([a-z][a-z0-9-]*):/.exec(reference)?.[1];
      const name = reference.slice((scheme?.length ?? 0) + 1);
      if (scheme === "env") return remember(readVariable(environment, name, places.dotenvPath), reference);
      if (scheme === "file") return remember(await readSecretFile(resolve(places.folder, name)), reference);
      if (scheme === "gcp-secret") return remember(await resolveGoogle(name), reference);
      throw new LeatError("CONFIG_INVALID", {
        // Not a word of it: somebody may have written the secret itself.
        message: "A secret's reference is neither env:NAME nor file:PATH nor gcp-secret:projects/…",
        hint: "Put the value into .env and refer to it as env:NAME.",
      });
    },
    redact(text) {
      let redacted = text;
      for (const [value, instead] of seen) redacted = redacted.replaceAll(value, instead);
      return redacted;
    },
  };
}

function readVariable(environment: Environment, name: string, dotenvPath: string): string {
  const value = environment[name];
  if (value !== undefined && value !== "") return value;
  throw new LeatError("SECRET_MISSING", {
    message: `The secret env:${name} ${value === "" ? "is empty" : "is not set"}.`,
    hint: `Looked at: the environment variable ${name}, then ${dotenvPath}. Set it in one of them.`,
    details: { reference: `env:${name}` },
  });
}

async function readSecretFile(path: string): Promise<string> {
  try {
    const value = (await readFile(path, "utf8")).replace(/\r?\n$/, "");
    if (value !== "") return value;
  } catch (error) {
    throw new LeatError("SECRET_MISSING", {
      message: `The secret file ${path} ${isMissing(error) ? "does not exist" : "cannot be read"}.`,
      cause: error,
    });
  }
  throw new LeatError("SECRET_MISSING", { message: `The secret file ${path} is empty.` });
}
