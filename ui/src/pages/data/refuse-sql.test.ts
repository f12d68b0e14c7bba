import { expect, test } from "vitest";
import { refuseSql } from "./refuse-sql.ts";

test.each([
  "SELECT 1",
  "  -- of today\n/* and\nmore */ (select 1)",
  "WITH a AS (SELECT 1) FROM a",
  "from orders",
  "VALUES (1)",
])("%s reads", (text) => expect(refuseSql(text)).toBeUndefined());

test.each([
  ["DELETE FROM orders", /^DELETE is refused/],
  ["/* select */ drop table orders", /^DROP is refused/],
  ["selection", /^SELECTION is refused/],
  ["COPY orders TO 'a.csv'", /^COPY is refused/],
  ["", /^There is no statement/],
  ["-- select 1", /^There is no statement/],
])("%s is refused with a plain reason", (text, reason) => expect(refuseSql(text)).toMatch(reason));
