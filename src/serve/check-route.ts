/** Whether a route fits its dataset: looked at when it is declared, and again for each version. */
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { RouteSpec } from "../ports/api-spec.ts";

/** What a route needs to know of a dataset. */
export type RouteGround = Readonly<{
  columns: readonly Readonly<{ name: string; type: string; isNullable: boolean }>[];
  key: readonly string[];
}>;

/** What of a route does not fit a dataset. */
export function checkRoute(
  { segments, shape }: RouteSpec,
  { columns, key }: RouteGround,
): readonly Readonly<{ where: string; problem: string }>[] {
  const faults: { where: string; problem: string }[] = [];
  const names = columns.map(({ name }) => name);
  const check = (where: string, name: string): void => {
    if (!names.includes(name))
      faults.push({ where, problem: `"${name}" is no column. ${hintOfKnown(name, "columns", names)}` });
  };
  const taken: string[] = [];
  for (const segment of segments) {
    if (!("column" in segment)) continue;
    check("path", segment.column);
    const type = columns.find(({ name }) => name === segment.column)?.type;
    if (type === "json")
      faults.push({
        where: "path",
        problem: `"${segment.column}" is JSON, which nobody can write in an address`,
      });
    if (taken.includes(segment.column))
      faults.push({ where: "path", problem: `names the column "${segment.column}" twice` });
    taken.push(segment.column);
  }
  if (shape.shape !== "map") for (const name of shape.columns ?? []) check("columns", name);
  if (shape.shape === "map") {
    check("key", shape.key);
    check("value", shape.value);
    const column = columns.find(({ name }) => name === shape.key);
    if (column?.isNullable === true)
      faults.push({ where: "key", problem: `"${shape.key}" may be null, which names nothing` });
    if (column?.type === "json")
      faults.push({ where: "key", problem: `"${shape.key}" is JSON, which names nothing` });
  }
  const decided = shape.shape === "map" ? [...taken, shape.key] : taken;
  const open = key.filter((name) => !decided.includes(name));
  if (shape.shape !== "rows" && (key.length === 0 || open.length > 0))
    faults.push({
      where: "shape",
      problem:
        key.length === 0
          ? `"${shape.shape}" needs a dataset with a key`
          : `"${shape.shape}" leaves ${open.join(", ")} of the dataset's key open, so that several rows may match; use "rows"`,
    });
  return faults;
}
