import { expect, test } from "vitest";
import { parseLedgerLocation } from "./ledger-location.ts";

test("a file's path begins at the project's folder, unless it is absolute", () => {
  expect(parseLedgerLocation("sqlite:.leat/ledger.db", "ledger", "/srv/shop")).toEqual({
    engine: "sqlite",
    path: "/srv/shop/.leat/ledger.db",
    url: "sqlite:/srv/shop/.leat/ledger.db",
  });
  expect(parseLedgerLocation("sqlite:///var/l.db", "ledger", "/srv/shop")).toMatchObject({
    path: "/var/l.db",
  });
});

test("what may be told of a server has no name and no password in it", () => {
  const url = "postgres://me:s3cret@db.internal:5433/leat?sslmode=require";
  const location = parseLedgerLocation(url, "LEAT_LEDGER", "/srv");
  expect(location).toEqual({
    engine: "postgres",
    connectionString: url,
    url: "postgres://db.internal:5433/leat",
  });
});

test.each([
  "sqlite:",
  "sqlite::memory:",
  "sqlite://other-host/ledger.db",
  "postgres://",
  "mysql://me:s3cret@host/db",
  "me:s3cret@host",
  "ledger.db",
])("%s is refused without being told", (url) => {
  const refuse = (): unknown => parseLedgerLocation(url, "LEAT_LEDGER", "/srv");
  expect(refuse).toThrow(/^LEAT_LEDGER: the ledger's address/);
  expect(refuse).not.toThrow(/s3cret/);
});
