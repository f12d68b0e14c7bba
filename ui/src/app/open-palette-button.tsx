/** Opens the search, for those who do not know its keys. */
import { Search } from "lucide-react";
import type { ReactElement } from "react";
import { Button } from "../components/button.tsx";

export function OpenPaletteButton({ onOpen }: Readonly<{ onOpen: () => void }>): ReactElement {
  return (
    <Button onClick={onOpen} className="font-normal text-muted" aria-keyshortcuts="Control+K">
      <Search aria-hidden="true" />
      <span className="sr-only sm:not-sr-only">Search</span>
      <span
        aria-hidden="true"
        className="hidden rounded border border-line px-1 font-mono text-meta sm:inline"
      >
        Ctrl K
      </span>
    </Button>
  );
}
