import { expect, test } from "vitest";
import { walk } from "./graph-walk.ts";

const nodes = [
  { name: "start", column: 0, row: 0 },
  { name: "left", column: 1, row: 0 },
  { name: "right", column: 1, row: 1 },
  { name: "end", column: 2, row: 0 },
];
const edges = [
  { from: "start", to: "left" },
  { from: "start", to: "right" },
  { from: "left", to: "end" },
  { from: "right", to: "end" },
];

test("arrows go along the edges, and up and down a column", () => {
  expect(walk(nodes, edges, "start", "ArrowRight")).toBe("left");
  expect(walk(nodes, edges, "left", "ArrowDown")).toBe("right");
  expect(walk(nodes, edges, "right", "ArrowUp")).toBe("left");
  expect(walk(nodes, edges, "right", "ArrowRight")).toBe("end");
  expect(walk(nodes, edges, "end", "ArrowLeft")).toBe("left");
  expect(walk(nodes, edges, "left", "End")).toBe("end");
  expect(walk(nodes, edges, "end", "Home")).toBe("start");
});

test("where nothing lies, the focus stays; a node that is gone begins anew", () => {
  expect(walk(nodes, edges, "end", "ArrowRight")).toBe("end");
  expect(walk(nodes, edges, "start", "ArrowUp")).toBe("start");
  expect(walk(nodes, edges, "gone", "ArrowRight")).toBe("left");
  expect(walk([], [], "gone", "End")).toBe("gone");
});
