/** A menu of things that are on or off, and that stays open while several are chosen: states, columns. */
import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { buttonClass } from "./button.tsx";
import { itemClass, popupClass } from "./menu.tsx";

export type CheckMenuProps = Readonly<{
  /** What the button shows. */
  children: ReactNode;
  label: string;
  options: readonly Readonly<{ value: string; name: ReactNode }>[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}>;

export function CheckMenu({ children, label, options, chosen, onChange }: CheckMenuProps): ReactElement {
  return (
    <Base.Root>
      <Base.Trigger aria-label={label} className={buttonClass()}>
        {children}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="start" className="z-50">
          <Base.Popup className={popupClass}>
            {options.map(({ value, name }) => (
              <Base.CheckboxItem
                key={value}
                closeOnClick={false}
                checked={chosen.includes(value)}
                onCheckedChange={(isOn) =>
                  onChange(
                    options
                      .map((one) => one.value)
                      .filter((one) => (one === value ? isOn : chosen.includes(one))),
                  )
                }
                className={itemClass}
              >
                <span className="flex size-4 items-center justify-center">
                  <Base.CheckboxItemIndicator>
                    <Check aria-hidden="true" className="size-4" />
                  </Base.CheckboxItemIndicator>
                </span>
                {name}
              </Base.CheckboxItem>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
