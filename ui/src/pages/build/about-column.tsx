/** What a flow or deployment does, in a line of a table; where it is cut, the pointer shows all of it. */
import type { DataColumn } from "../../components/table-columns.ts";

/** @param width - px. */
export const aboutColumn = (width: number): DataColumn<Readonly<{ description: string }>> => ({
  id: "about",
  name: "What it does",
  width,
  cell: ({ description }) => (
    <span className="text-muted" title={description}>
      {description}
    </span>
  ),
});
