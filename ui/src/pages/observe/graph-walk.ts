/** Where arrows lead in a graph: right and left along its edges, up and down within a column. */

export type WalkNode = Readonly<{ name: string; column: number; row: number }>;
export type WalkEdge = Readonly<{ from: string; to: string }>;
export type WalkKey = "ArrowRight" | "ArrowLeft" | "ArrowUp" | "ArrowDown" | "Home" | "End";

const byPlace = (one: WalkNode, other: WalkNode): number => one.column - other.column || one.row - other.row;

/** @returns the name of the node to go to; the same one where nothing lies that way. */
export function walk(
  nodes: readonly WalkNode[],
  edges: readonly WalkEdge[],
  from: string,
  key: WalkKey,
): string {
  const ordered = [...nodes].sort(byPlace);
  const here = ordered.find(({ name }) => name === from) ?? ordered[0];
  if (here === undefined) return from;
  const nearest = (names: readonly string[]): WalkNode | undefined =>
    ordered
      .filter(({ name }) => names.includes(name))
      .sort((one, other) => Math.abs(one.row - here.row) - Math.abs(other.row - here.row))[0];
  const beside = (step: number): WalkNode | undefined => {
    const column = ordered.filter((one) => one.column === here.column);
    return column[column.indexOf(here) + step];
  };
  const found = {
    ArrowRight: () => nearest(edges.filter((edge) => edge.from === here.name).map((edge) => edge.to)),
    ArrowLeft: () => nearest(edges.filter((edge) => edge.to === here.name).map((edge) => edge.from)),
    ArrowUp: () => beside(-1),
    ArrowDown: () => beside(1),
    Home: () => ordered[0],
    End: () => ordered.at(-1),
  }[key]();
  return found?.name ?? here.name;
}
