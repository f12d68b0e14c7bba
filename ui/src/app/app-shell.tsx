/** What stands around every page: the rail, the bar above with scope and search, and what is said of the connection. */
import { useQuery } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { lazy, type ReactElement, Suspense, useEffect, useRef, useState } from "react";
import { sessionQuery } from "../client/queries.ts";
import { whenSignedOut } from "../client/request.ts";
import { Button } from "../components/button.tsx";
import { AccountMenu } from "./account-menu.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { OpenPaletteButton } from "./open-palette-button.tsx";
import { queryClient } from "./query-client.ts";
import { Rail } from "./rail.tsx";
import { ScopePicker } from "./scope-picker.tsx";

// Not needed for the first paint.
const CommandPalette = lazy(() => import("./command-palette.tsx"));
const SignIn = lazy(() => import("./sign-in.tsx"));

export function AppShell(): ReactElement {
  const session = useQuery(sessionQuery);
  const [isRailOpen, setRailOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const lastPath = useRef(path);

  useEffect(() => {
    if (lastPath.current === path) return;
    lastPath.current = path;
    setRailOpen(false);
    main.current?.focus(); // A new page: those who read by ear begin at its head.
  }, [path]);

  useEffect(() => {
    whenSignedOut(() => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey }));
  }, []);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);

  // Who was signed in here: a session that ends in the middle of a form must not take what was typed along.
  const [before, setBefore] = useState<string>();
  const user = session.data?.user;
  if (user != null && user !== before) setBefore(user);
  if (session.data?.user === null && before === undefined) {
    return (
      <Suspense>
        <SignIn session={session.data} />
      </Suspense>
    );
  }
  return (
    <div className="flex h-full flex-col">
      {session.data?.user === null && (
        <Suspense>
          <SignIn session={session.data} before={before} />
        </Suspense>
      )}
      <button
        type="button"
        onClick={() => main.current?.focus()}
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-panel focus:p-2"
      >
        Skip to the page
      </button>
      <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line bg-panel px-4">
        <Button
          look="quiet"
          className="wide:hidden px-1.5"
          aria-label="Places"
          aria-expanded={isRailOpen}
          onClick={() => setRailOpen(!isRailOpen)}
        >
          <MenuIcon aria-hidden="true" />
        </Button>
        <ScopePicker />
        <div className="flex-1" />
        <OpenPaletteButton onOpen={() => setPaletteOpen(true)} />
        <AccountMenu session={session.data} />
      </header>
      <ConnectionBanner />
      <div className="flex min-h-0 flex-1">
        <Rail isOpen={isRailOpen} onClose={() => setRailOpen(false)} />
        {/* What is placed freely within a page, as words for screen readers are, must not make the window scroll. */}
        <main ref={main} tabIndex={-1} className="relative flex min-w-0 flex-1 flex-col overflow-y-auto">
          <Outlet />
        </main>
      </div>
      {isPaletteOpen && (
        <Suspense>
          <CommandPalette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}
