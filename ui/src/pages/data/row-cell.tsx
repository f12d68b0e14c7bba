/** A value in a table: what is empty is told from an empty text. */
import type { ReactElement } from "react";

/** Characters of one cell; the inspector has the rest. */
const shownMax = 300;

export function printValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function RowCell({ value }: Readonly<{ value: unknown }>): ReactElement {
  if (value === null || value === undefined)
    return <span className="text-meta text-muted italic">empty</span>;
  const text = printValue(value);
  return (
    <span title={text.length > 20 ? text.slice(0, shownMax) : undefined}>{text.slice(0, shownMax)}</span>
  );
}
