import { expect, test } from "vitest";
import { openProblems } from "../../src/cli/tell-problems.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { LeatError } from "../../src/errors/leat-error.ts";

test("what goes wrong ten times a second is told once a minute, with how often it came", () => {
  let nowMs = 0;
  const said: string[] = [];
  const terminal = { err: (text: string) => void said.push(text) } as unknown as Terminal; // All that is used.
  const tell = openProblems(terminal, { nowMs: () => nowMs });
  const away = (what: string) => new LeatError("LEDGER_UNAVAILABLE", { message: `no answer (${what})` });
  for (let n = 0; n < 700; n++, nowMs += 100) tell(away(n % 2 === 0 ? "claiming a run" : "sweeping"));
  tell(new Error("something else"));
  const told = said.join("");
  expect(told.match(/error LEDGER_UNAVAILABLE/g)).toHaveLength(2);
  expect(told).toContain("and 599 times more since it was told last");
  expect(told.match(/something else/g)).not.toBeNull();
});
