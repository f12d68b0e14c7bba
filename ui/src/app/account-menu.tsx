/** Who is signed in, how the console looks, and the way out. */
import { CircleUser } from "lucide-react";
import type { ReactElement } from "react";
import type { GetApiSessionResponse } from "../api/types.gen.ts";
import { request } from "../client/request.ts";
import { Menu } from "../components/menu.tsx";
import { tellFailure } from "../components/toast.tsx";
import { setPreferences, type Theme, usePreferences } from "./preferences.ts";

const themes: readonly Readonly<{ theme: Theme; name: string }>[] = [
  { theme: "light", name: "Light" },
  { theme: "dark", name: "Dark" },
  { theme: "system", name: "As the system" },
];

async function signOut(): Promise<void> {
  try {
    await request("session", { method: "DELETE" });
    location.reload(); // What somebody has seen or typed must not be shown to the next.
  } catch (error) {
    tellFailure("Signing out failed", error);
  }
}

export function AccountMenu({
  session,
}: Readonly<{ session: GetApiSessionResponse | undefined }>): ReactElement {
  const { theme, density } = usePreferences();
  const name = session?.user ?? "";
  return (
    <Menu
      look="quiet"
      label={name === "" ? "Account and look" : `Account and look: ${name}, ${session?.role ?? ""}`}
      items={[
        ...themes
          .filter((one) => one.theme !== theme)
          .map((one) => ({
            name: `Theme: ${one.name}`,
            onSelect: () => setPreferences({ theme: one.theme }),
          })),
        {
          name: density === "compact" ? "Rows: comfortable" : "Rows: compact",
          onSelect: () => setPreferences({ density: density === "compact" ? "comfortable" : "compact" }),
        },
        ...(session?.can_sign_out ? [{ name: "Sign out", onSelect: () => void signOut() }] : []),
      ]}
    >
      <CircleUser aria-hidden="true" />
      <span className="hidden max-w-40 truncate font-normal sm:inline">{name}</span>
    </Menu>
  );
}
