/** A menu of things to do, below its button. */
import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { type ButtonLook, buttonClass } from "./button.tsx";

export type MenuItem = Readonly<{
  name: string;
  onSelect: () => void;
  isDisabled?: boolean;
  isDanger?: boolean;
}>;

export type MenuProps = Readonly<{
  /** What the button shows. */
  children: ReactNode;
  /** Said where the button shows only a picture. */
  label?: string;
  look?: ButtonLook;
  items: readonly MenuItem[];
}>;

export const popupClass =
  "card max-h-[min(60vh,var(--available-height))] min-w-40 overflow-y-auto p-1 shadow-lg";
export const itemClass =
  "flex min-h-7 cursor-pointer items-center gap-2 rounded-control px-2 py-1 outline-none select-none data-[disabled]:cursor-default data-[disabled]:opacity-50 data-[highlighted]:bg-selected";

export function Menu({ children, label, look = "plain", items }: MenuProps): ReactElement {
  return (
    <Base.Root>
      <Base.Trigger aria-label={label} className={buttonClass(look)}>
        {children}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className="z-50">
          <Base.Popup className={popupClass}>
            {items.map(({ name, onSelect, isDisabled, isDanger }) => (
              <Base.Item
                key={name}
                disabled={isDisabled ?? false}
                onClick={onSelect}
                className={isDanger ? `${itemClass} text-failed` : itemClass}
              >
                {name}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
