/** Who may call the sync app, as options and environment say. */
import { LeatError } from "../errors/leat-error.ts";
import type { Secrets } from "../ports/world.ts";
import type { AuthOptions } from "../server/sync/authenticate.ts";
import type { Invocation } from "./invocation.ts";

const modes = ["none", "iam", "oidc", "apikey"] as const;
type Mode = (typeof modes)[number];

const isMode = (text: string): text is Mode => (modes as readonly string[]).includes(text);

/**
 * Reads the mode and what it needs: `LEAT_AUTH_CALLERS` (addresses), `LEAT_AUTH_AUDIENCE`, `LEAT_AUTH_KEY` (references of
 * secrets). On Cloud Run the mode is `iam` unless another is named, elsewhere `none`.
 *
 * @throws LeatError `CONFIG_INVALID` naming the variable.
 */
export async function readSyncAuth(
  environment: Invocation["environment"],
  option: string | undefined,
  secrets: Secrets,
): Promise<AuthOptions> {
  const isCloudRun = Boolean(environment["K_SERVICE"]);
  const said = option ?? environment["LEAT_AUTH"] ?? "";
  const mode = said === "" ? (isCloudRun ? "iam" : "none") : said;
  const from = option === undefined ? "LEAT_AUTH" : "--auth";
  if (!isMode(mode))
    throw invalid(`${from} "${mode}" is no way to know callers.`, `Use one of ${modes.join(", ")}.`);
  const callers = listOf(environment["LEAT_AUTH_CALLERS"]);
  switch (mode) {
    case "none":
      return { mode };
    case "iam":
      if (isCloudRun) return { mode, callers };
      throw invalid(
        `${from} "iam" leaves it to Cloud Run to check callers, and this is not Cloud Run.`,
        "Use oidc, which checks identity tokens itself, or apikey.",
      );
    case "oidc": {
      const audience = environment["LEAT_AUTH_AUDIENCE"] ?? "";
      if (audience === "")
        throw invalid("LEAT_AUTH_AUDIENCE is not set.", "Set it to the address by which the app is called.");
      if (callers.length === 0)
        // Anybody with a Google account can have a token made for any audience.
        throw invalid("LEAT_AUTH_CALLERS is not set.", "List the addresses of the accounts that may call.");
      const { openTokenVerifier } = await import("../google/open-token-verifier.ts");
      const certificatesUrl = environment["LEAT_AUTH_CERTIFICATES_URL"] || undefined;
      return { mode, callers, verify: await openTokenVerifier({ audience, certificatesUrl }) };
    }
    case "apikey": {
      const references = listOf(environment["LEAT_AUTH_KEY"]);
      if (references.length === 0)
        throw invalid("LEAT_AUTH_KEY is not set.", "Refer to the key, such as env:SYNC_KEY or gcp-secret:….");
      const readKeys = (): Promise<string[]> => Promise.all(references.map((one) => secrets.resolve(one)));
      await readKeys(); // A missing key is told now, not at the first request.
      return { mode, readKeys };
    }
  }
}

/** Names between commas. */
const listOf = (text: string | undefined): readonly string[] =>
  (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

const invalid = (message: string, hint: string): LeatError =>
  new LeatError("CONFIG_INVALID", { message, hint });
