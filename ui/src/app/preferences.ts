/** What people choose for themselves: theme, density, time zone. Kept in this browser. */
import { useSyncExternalStore } from "react";
import { chooseZone } from "../format/instant.ts";

export type Theme = "system" | "light" | "dark";
export type Density = "comfortable" | "compact";

export type Preferences = Readonly<{
  theme: Theme;
  density: Density;
  /** Empty: the browser's. */
  zone: string;
  isRailNarrow: boolean;
}>;

const usual: Preferences = { theme: "system", density: "comfortable", zone: "", isRailNarrow: false };
const key = "leat.preferences";
const listeners = new Set<() => void>();
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

let current: Preferences = usual;

const isZone = (zone: unknown): zone is string => {
  if (typeof zone !== "string") return false;
  try {
    return zone === "" || Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
};

/** What another version has kept, or somebody has changed by hand, must not keep the console from starting. */
function readKept(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (typeof kept !== "object" || kept === null) return usual;
    const { theme, density, zone, isRailNarrow } = kept as Readonly<Record<keyof Preferences, unknown>>; // Each is looked at.
    return {
      theme: theme === "light" || theme === "dark" ? theme : "system",
      density: density === "compact" ? "compact" : "comfortable",
      zone: isZone(zone) ? zone : "",
      isRailNarrow: isRailNarrow === true,
    };
  } catch {
    return usual;
  }
}

function apply(): void {
  const isDark = current.theme === "dark" || (current.theme === "system" && systemIsDark.matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  document.documentElement.dataset["density"] = current.density;
  chooseZone(current.zone === "" ? undefined : current.zone);
}

/** Once, before anything is drawn. */
export function startPreferences(): void {
  current = readKept();
  apply();
  systemIsDark.addEventListener("change", apply);
}

export function setPreferences(changed: Partial<Preferences>): void {
  current = { ...current, ...changed };
  apply();
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing still shows it until the page is left.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const usePreferences = (): Preferences => useSyncExternalStore(subscribe, () => current);
