/** Buttons and links that look like them: 28 px high, so that a row of them stands beside a row of a table. */
import type { ComponentProps, ReactElement, ReactNode } from "react";
import { classNames } from "./class-names.ts";

export type ButtonLook = "primary" | "plain" | "quiet" | "danger";

const shape =
  "inline-flex h-7 min-w-6 items-center justify-center gap-1.5 rounded-control px-2.5 text-body font-semibold whitespace-nowrap no-underline hover:no-underline disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0";

const looks: Readonly<Record<ButtonLook, string>> = {
  primary: "bg-accent text-on-accent hover:brightness-110",
  plain: "border border-control bg-panel text-text hover:bg-sunk",
  quiet: "text-text hover:bg-selected",
  danger: "border border-failed bg-panel text-failed hover:bg-sunk",
};

/** What makes any element look like a button. */
export const buttonClass = (look: ButtonLook = "plain", more?: string): string =>
  classNames(shape, looks[look], more);

export type ButtonProps = ComponentProps<"button"> & Readonly<{ look?: ButtonLook; children?: ReactNode }>;

export function Button({ look = "plain", className, type = "button", ...rest }: ButtonProps): ReactElement {
  return <button {...rest} type={type} className={buttonClass(look, className)} />;
}
