/** Narrows a list by name. Its text belongs into the URL. */
import type { ReactElement } from "react";
import { fieldClass } from "./field.tsx";

export function FindField({
  label,
  value,
  onChange,
}: Readonly<{ label: string; value: string; onChange: (text: string) => void }>): ReactElement {
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className={`${fieldClass} w-60`}
    />
  );
}
