/** Tenants whose ids one careless comparison, path or statement would take for another. */
import { createSeededRandom } from "../../src/testing/seeded-random.ts";

/** Ids that meet somewhere: in case, in spaces, as numbers, as SQL, as paths, as patterns, as letters that look alike. */
export function hostileIds(count: number): readonly string[] {
  const seeds = [
    ...[
      "414",
      "41",
      "4140",
      "0414",
      "414.0",
      "4.14e2",
      " 414",
      "414 ",
      "414\t",
      "٤١٤",
      "４１４",
      "4\u200b14",
      "414\u0000",
    ],
    ...["a", "A", "а", "ª", "á", "a\u0301", "A\u0301", "ß", "ss", "ſ", "İ", "i", "ı", "K", "K"],
    ...[
      "'",
      "''",
      "' OR '1'='1",
      "'; DROP TABLE replica.plants; --",
      '"',
      '""',
      "`",
      "\\",
      "\\'",
      "$1",
      "$$",
      "%",
      "_",
      "*",
      "?",
    ],
    ...[
      "../41",
      "..",
      ".",
      "/",
      "tenant=41",
      "41/",
      "~34~31",
      "~~",
      "null",
      "NULL",
      "true",
      "undefined",
      "NaN",
      "[object Object]",
    ],
    ...[
      "\n",
      "\r\n",
      "\u2028",
      "\u202e414",
      "🌱",
      "x".repeat(120),
      `${"x".repeat(119)}y`,
      "{}",
      '{"id":"414"}',
      "414,41",
      "(414)",
    ],
  ];
  const random = createSeededRandom(20);
  const pieces = [
    "4",
    "1",
    "a",
    "A",
    "а",
    "'",
    '"',
    " ",
    "%",
    "_",
    "\\",
    ";",
    "-",
    "é",
    "e\u0301",
    "\u200b",
    ".",
    "/",
    "~",
    "0",
  ];
  const ids = new Set(seeds);
  while (ids.size < count) {
    const length = random.between(1, 5);
    ids.add(Array.from({ length }, () => random.pick(pieces)).join(""));
  }
  return [...ids];
}
