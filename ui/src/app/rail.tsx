/** The rail with the places; below 900 px a drawer over the page. */
import { Link, useRouter } from "@tanstack/react-router";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { type ReactElement, useEffect } from "react";
import { classNames } from "../components/class-names.ts";
import { Tooltip } from "../components/tooltip.tsx";
import { places } from "./navigation.ts";
import { setPreferences, usePreferences } from "./preferences.ts";

const linkClass =
  "flex h-7 items-center gap-2.5 rounded-control px-2.5 text-text no-underline hover:bg-sunk hover:no-underline data-[status=active]:bg-selected data-[status=active]:font-semibold [&_svg]:size-4 [&_svg]:shrink-0";

export function Rail({ isOpen, onClose }: Readonly<{ isOpen: boolean; onClose: () => void }>): ReactElement {
  const { isRailNarrow } = usePreferences();
  const router = useRouter();
  const isNarrow = isRailNarrow && !isOpen;
  const there = places
    .map((group) => ({ ...group, items: group.items.filter(({ to }) => to in router.routesByPath) }))
    .filter(({ items }) => items.length > 0);
  useEffect(() => {
    if (!isOpen) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === "Escape") onClose();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [isOpen, onClose]);
  return (
    <>
      {isOpen && (
        <div
          aria-hidden="true"
          onClick={onClose}
          className="wide:hidden fixed inset-0 top-12 z-20 bg-shade"
        />
      )}
      <nav
        aria-label="Places"
        className={classNames(
          "wide:flex wide:static fixed top-12 bottom-0 left-0 z-30 shrink-0 flex-col gap-2 overflow-y-auto border-r border-line bg-panel p-2",
          isOpen ? "flex" : "hidden",
          isNarrow ? "w-14" : "w-52",
        )}
      >
        {there.map((group) => (
          <div key={group.name}>
            {!isNarrow && <p className="px-2.5 py-0.5 text-meta text-muted">{group.name}</p>}
            {group.items.map(({ to, name, icon: Icon }) => {
              const link = (
                <Link
                  key={to}
                  to={to}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  aria-label={isNarrow ? name : undefined}
                  className={linkClass}
                >
                  <Icon aria-hidden="true" />
                  {!isNarrow && name}
                </Link>
              );
              return isNarrow ? (
                <Tooltip key={to} text={name}>
                  {link}
                </Tooltip>
              ) : (
                link
              );
            })}
          </div>
        ))}
        <button
          type="button"
          className={classNames(linkClass, "wide:flex mt-auto hidden text-muted")}
          aria-label={isNarrow ? "Widen the rail" : "Narrow the rail"}
          onClick={() => setPreferences({ isRailNarrow: !isRailNarrow })}
        >
          {isNarrow ? <PanelLeftOpen aria-hidden="true" /> : <PanelLeftClose aria-hidden="true" />}
          {!isNarrow && "Narrow"}
        </button>
      </nav>
    </>
  );
}
