/** One of a few. For many, or any, see `Combobox`. */
import { Select as Base } from "@base-ui/react/select";
import { ChevronsUpDown } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { buttonClass } from "./button.tsx";
import { itemClass, popupClass } from "./menu.tsx";

export type SelectOption = Readonly<{ value: string; name: ReactNode }>;

export type SelectProps = Readonly<{
  /** Said to those who do not see it; also shown before the value. */
  label: string;
  isLabelHidden?: boolean;
  options: readonly SelectOption[];
  value: string;
  onChange: (value: string) => void;
  id?: string;
  isDisabled?: boolean;
}>;

export function Select(props: SelectProps): ReactElement {
  const { label, isLabelHidden, options, value, onChange, id, isDisabled } = props;
  const chosen = options.find((one) => one.value === value);
  return (
    <Base.Root
      value={value}
      onValueChange={(next) => next !== null && onChange(String(next))}
      disabled={isDisabled ?? false}
      modal={false}
    >
      <Base.Trigger
        id={id}
        aria-label={label}
        className={buttonClass("plain", "justify-between font-normal")}
      >
        {!isLabelHidden && <span className="text-muted">{label}</span>}
        <span className="truncate">{chosen?.name ?? value}</span>
        <Base.Icon>
          <ChevronsUpDown aria-hidden="true" className="size-4 text-muted" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} align="start" className="z-50">
          <Base.Popup className={popupClass}>
            {options.map((one) => (
              <Base.Item
                key={one.value}
                value={one.value}
                className={`${itemClass} data-[selected]:font-semibold`}
              >
                <Base.ItemText>{one.name}</Base.ItemText>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
