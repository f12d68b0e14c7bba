/**
 * Finds every `await` of a source file and puts a call before it, between the started operation and its end, and after
 * it, so that a process can be killed there. Sites are found by parsing, never listed by hand.
 */
import { stripTypeScriptTypes } from "node:module";
import { parseAst } from "rolldown/parseAst";

/** When a site is passed: before the operation starts, while it is under way, after it has ended. */
export const phases = ["before", "during", "after"] as const;
export type Phase = (typeof phases)[number];

type Node = Readonly<{ type: string; start: number; end: number }> & Readonly<Record<string, unknown>>;

/** Source text with a call of `__leatSite(site, phase)` around every await; `file:line` names a site. */
export function instrumentAwaits(typescript: string, file: string): string {
  const code = stripTypeScriptTypes(typescript);
  const edits: { at: number; isOpen: boolean; text: string }[] = [];
  const lineOf = lineCounter(code);
  const seen = new Map<string, number>();
  const nameSite = (node: Node) => {
    const line = `${file}:${lineOf(node.start)}`;
    const count = (seen.get(line) ?? 0) + 1;
    seen.set(line, count);
    return JSON.stringify(count === 1 ? line : `${line}#${count}`);
  };
  const visit = (node: Node): void => {
    const argument = node["argument"] as Node | undefined; // Only awaits are read below.
    const isAwait = node.type === "AwaitExpression" && argument !== undefined;
    const site = isAwait ? nameSite(node) : "";
    if (isAwait) {
      edits.push({
        at: node.start,
        isOpen: true,
        text: `(__leatSite(${site},"before"),__leatPass(${site},"after",`,
      });
      edits.push({ at: argument.start, isOpen: true, text: `__leatPass(${site},"during",` });
    }
    if (node.type === "ForOfStatement" && node["await"] === true) {
      const body = node["body"] as Node; // Every loop has one.
      if (body.type === "BlockStatement") {
        edits.push({ at: body.start + 1, isOpen: true, text: `__leatSite(${nameSite(body)},"after");` });
      }
    }
    for (const child of childrenOf(node)) visit(child);
    if (isAwait) {
      edits.push({ at: argument.end, isOpen: false, text: ")" });
      edits.push({ at: node.end, isOpen: false, text: "))" });
    }
  };
  visit(parseAst(code) as unknown as Node); // Any ESTree node has these fields.
  const ordered = edits
    .map((edit, index) => ({ ...edit, index }))
    .sort((a, b) => a.at - b.at || Number(a.isOpen) - Number(b.isOpen) || a.index - b.index);
  let result = "";
  let at = 0;
  for (const edit of ordered) {
    result += code.slice(at, edit.at) + edit.text;
    at = edit.at;
  }
  return result + code.slice(at);
}

function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof (child as Node).type === "string")
        yield child as Node;
    }
  }
}

function lineCounter(code: string): (at: number) => number {
  const starts = [0];
  for (let at = code.indexOf("\n"); at >= 0; at = code.indexOf("\n", at + 1)) starts.push(at + 1);
  return (at) => starts.findLastIndex((start) => start <= at) + 1;
}
