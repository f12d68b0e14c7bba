import { expect, test } from "vitest";
import { createEventReader } from "./event-stream.ts";

test("events are the same wherever the pieces are cut", () => {
  const text =
    'retry: 1000\n\nid: 7~-\ndata: {"a":\ndata: 1}\n\n: still here\n\nevent: end\ndata: {}\r\n\r\nid: 8\ndata: ü\n\n';
  const whole = createEventReader()(text);
  expect(whole).toEqual([
    { id: "7~-", type: "message", data: '{"a":\n1}' },
    { id: undefined, type: "comment", data: "" },
    { id: undefined, type: "end", data: "{}" },
    { id: "8", type: "message", data: "ü" },
  ]);
  for (let cut = 1; cut < text.length; cut++) {
    const read = createEventReader();
    expect([...read(text.slice(0, cut)), ...read(text.slice(cut))], `cut at ${cut}`).toEqual(whole);
  }
});
