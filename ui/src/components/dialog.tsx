/** A dialog: holds the focus while it is open and gives it back. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactElement, type ReactNode, useRef } from "react";
import { buttonClass } from "./button.tsx";
import { classNames } from "./class-names.ts";

export type DialogProps = Readonly<{
  isOpen: boolean;
  onClose: () => void;
  title: string;
  /** A sentence below the title. */
  about?: ReactNode;
  children: ReactNode;
  /** Buttons, the one that acts last. */
  actions?: ReactNode;
  isWide?: boolean;
}>;

export function Dialog({
  isOpen,
  onClose,
  title,
  about,
  children,
  actions,
  isWide,
}: DialogProps): ReactElement {
  const body = useRef<HTMLDivElement>(null);
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Base.Popup
          // To the first field, if it has any: closing is not what people came for.
          initialFocus={() => body.current?.querySelector<HTMLElement>("input, select, textarea") ?? true}
          className={classNames(
            "card fixed top-[8vh] left-1/2 z-50 flex max-h-[84vh] w-[calc(100vw-32px)] -translate-x-1/2 flex-col shadow-lg",
            isWide ? "max-w-240" : "max-w-160",
          )}
        >
          <div className="flex items-start gap-2 px-4 pt-3 pb-2">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-section font-semibold [overflow-wrap:anywhere]">{title}</Base.Title>
              {about !== undefined && <Base.Description className="text-muted">{about}</Base.Description>}
            </div>
            <Base.Close aria-label="Close" className={buttonClass("quiet", "px-1.5")}>
              <X aria-hidden="true" />
            </Base.Close>
          </div>
          <div ref={body} className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">
            {children}
          </div>
          {actions !== undefined && (
            <div className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{actions}</div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
