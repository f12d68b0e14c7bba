/** One of many, found by typing. */
import { Combobox as Base } from "@base-ui/react/combobox";
import type { ReactElement } from "react";
import { fieldClass } from "./field.tsx";
import { itemClass, popupClass } from "./menu.tsx";

export type ComboboxProps = Readonly<{
  label: string;
  /** All that can be chosen. */
  options: readonly string[];
  /** Empty: nothing is chosen. */
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** What is said where nothing fits what was typed. */
  noneText?: string;
}>;

/** Options shown at once: beyond these people type on. */
const shownMax = 200;

export function Combobox({
  label,
  options,
  value,
  onChange,
  placeholder,
  noneText,
}: ComboboxProps): ReactElement {
  return (
    <Base.Root
      items={options}
      limit={shownMax}
      value={value === "" ? null : value}
      onValueChange={(next) => onChange(next ?? "")}
    >
      <Base.Input aria-label={label} placeholder={placeholder ?? label} className={`${fieldClass} w-44`} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} className="z-50">
          <Base.Popup className={popupClass}>
            <Base.Empty className="px-2 py-1 text-muted empty:hidden">
              {noneText ?? "Nothing fits."}
            </Base.Empty>
            <Base.List>
              {(one: string) => (
                <Base.Item key={one} value={one} className={`${itemClass} data-[selected]:font-semibold`}>
                  {one}
                </Base.Item>
              )}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
