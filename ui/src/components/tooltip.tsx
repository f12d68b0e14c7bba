/** A word more, on hover and on focus. What people must know stands on the page itself. */
import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement, ReactNode } from "react";

export function Tooltip({
  text,
  children,
}: Readonly<{ text: ReactNode; children: ReactElement }>): ReactElement {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} className="z-50">
          <Base.Popup className="card max-w-80 px-2 py-1 text-meta shadow-lg">{text}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
