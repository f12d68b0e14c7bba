/** Reads server-sent events from a body: the browser's own reader cannot say where to go on after a connection is lost. */

export type StreamEvent = Readonly<{ id: string | undefined; type: string; data: string }>;

/** Characters of one event; a longer one is not ours. */
const eventLengthMax = 8 * 1024 * 1024;

/**
 * Cuts text that comes in pieces into events.
 *
 * @returns a function that takes a piece and gives the events which it completes; comments give an event of the type
 *   `comment`, since they say that the connection lives.
 */
export function createEventReader(): (piece: string) => readonly StreamEvent[] {
  let rest = "";
  let isAfterReturn = false;
  return (piece) => {
    // A line may end with \r\n of which only the first half has come.
    const text = isAfterReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    isAfterReturn = piece.endsWith("\r");
    rest += text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > eventLengthMax) throw new Error("an event of the server has no end");
    return blocks.flatMap(readBlock);
  };
}

function readBlock(block: string): readonly StreamEvent[] {
  let id: string | undefined;
  let type = "message";
  const data: string[] = [];
  let isComment = false;
  for (const line of block.split("\n")) {
    if (line.startsWith(":")) isComment = true;
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") id = value;
    else if (name === "event") type = value;
    else if (name === "data") data.push(value);
  }
  if (data.length > 0) return [{ id, type, data: data.join("\n") }];
  return isComment ? [{ id, type: "comment", data: "" }] : [];
}
