/** Options of `leat serve` that say who may ask, and how much. */
import { LeatError } from "../errors/leat-error.ts";
import type { AdmissionRules } from "../server/data/admission.ts";
import type { CorsRules } from "../server/data/answer-headers.ts";
import type { RequestRate } from "../server/data/token-buckets.ts";

/** Most requests a second that can be declared: more than a server answers. */
const rateMax = 1_000_000;

/** `20`, `20/s`, `100/60s`, each with `:burst` behind it, or `none`. */
export function readRate(option: string, text: string): RequestRate | undefined {
  if (text === "none") return undefined;
  const match = /^(\d+(?:\.\d+)?)(?:\/(\d*)s)?(?::(\d+))?$/.exec(text);
  const perSecond = Number(match?.[1]) / Number(match?.[2] || 1);
  const burst = match?.[3] === undefined ? Math.max(1, Math.ceil(perSecond * 4)) : Number(match[3]);
  if (match !== null && perSecond > 0 && perSecond <= rateMax && burst >= 1 && burst <= rateMax)
    return { perSecond, burst };
  throw new LeatError("USAGE", {
    message: `${option} "${text}" is no rate: write requests a second, such as 20, 20:100 (100 at once), 100/60s, or none.`,
  });
}

const keyModes = ["none", "optional", "required"] as const;

export function readKeyMode(text: string): AdmissionRules["keys"] {
  const mode = keyModes.find((each) => each === text);
  if (mode !== undefined) return mode;
  throw new LeatError("USAGE", { message: `--keys "${text}" is none of ${keyModes.join(", ")}.` });
}

/** `*`, or origins such as `https://example.org`. */
export function readCors(origins: readonly string[]): CorsRules {
  if (origins.includes("*")) return { origins: "*" };
  for (const origin of origins)
    if (!/^https?:\/\/[^/\s]+$/.test(origin))
      throw new LeatError("USAGE", {
        message: `--cors "${origin}" is no origin: write it as browsers do, https://example.org without a path, or *.`,
      });
  return { origins };
}

/** A whole number within bounds. */
export function readWhole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new LeatError("USAGE", {
    message: `${option} "${text}" is not a whole number from ${least} to ${most}.`,
  });
}
