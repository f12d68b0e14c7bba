/** What every target of shares must do: the same tests on each engine. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { makeStreamSpec, plant } from "../../src/testing/warehouse-under-test.ts";
import { openStand, plants, type SharePlace, type ShareStand, salt } from "./share-stand.ts";

/** What engines differ in. */
export type ShareContractOptions = Readonly<{
  /** A table of the current rows, as SQL: `replica.plants`. */
  name: (schema: string, table: string) => string;
  /** Whether somebody else can change rows there by SQL. */
  canBeAltered: boolean;
  /** Rows that the history shows where only current rows are kept: whether deletions are remembered there. */
  keepsDeletions: boolean;
}>;

/** The mask that the documentation describes. */
export const maskOf = (value: string, tenant = "414"): string => {
  const key = createHmac("sha256", salt)
    .update(JSON.stringify(["replica", tenant]))
    .digest();
  return createHmac("sha256", key).update(value).digest("hex");
};

const day = (n: number): string => `2026-01-${String(n).padStart(2, "0")}T00:00:00Z`;

/** Defines the tests. */
export function shareContract(openPlace: () => Promise<SharePlace>, options: ShareContractOptions): void {
  const { name } = options;
  const current = name("replica", "plants");
  const history = name("replica", "plants_history");
  const check = (title: string, run: (stand: ShareStand) => Promise<void>): void =>
    test(title, async () => {
      await using stand = await openStand(openPlace);
      await run(stand);
    });
  const idsOf = async (stand: ShareStand, table = current): Promise<readonly unknown[]> =>
    (await stand.rows(`SELECT id FROM ${table} ORDER BY id`)).map(([id]) => Number(id));
  const codeOf = async (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => "did not fail",
      (error: { code?: string }) => error.code ?? error,
    );

  describe("a delivery", () => {
    check("brings the tenant's rows, and moves each package once", async (stand) => {
      await stand.land([plant(1, day(1)), plant(2, day(1))]);
      await stand.land([plant(2, day(2)), plant(3, day(2))]);
      await stand.land([plant(9, day(1))], { tenant: "41" });
      expect(await stand.table()).toMatchObject({ status: "moved", packages: 2, rows: 4, seq: 2 });
      expect(await idsOf(stand)).toEqual([1, 2, 3]);
      expect(await idsOf(stand, history)).toEqual([1, 2, 2, 3]);
      expect(await stand.table()).toMatchObject({ status: "unchanged", packages: 0, rows: 0, seq: 2 });
      await stand.land([plant(4, day(3))]);
      expect(await stand.table()).toMatchObject({ status: "moved", packages: 1, rows: 1, seq: 3 });
      expect(await idsOf(stand)).toEqual([1, 2, 3, 4]);
    });

    check(
      "shares the columns that are named, under their new names, and masks those that say so",
      async (stand) => {
        await stand.land([
          plant(
            1,
            day(1),
            '"label":"A","email":"a@example.org","note":"private","tag":null,"room":{"b":[1.10]}',
          ),
          plant(2, day(1), '"label":"B","email":"a\\u0040example.org","note":"private","tag":7,"room":null'),
        ]);
        const columns = {
          id: true,
          modified: "changed_at",
          label: true,
          email: { mask: true, as: "email_hash" },
          tag: { mask: true },
          room: true,
        } as const;
        await stand.table({ share: { salt: "env:SALT", streams: [{ stream: "farm.plants", columns }] } });
        const own = ["_leat_package", "_leat_row", "_leat_extracted_at"];
        expect([...(await stand.columns(current))].sort()).toEqual(
          ["tenant_id", "id", "changed_at", "label", "email_hash", "tag", "room", ...own].sort(),
        );
        const rows = await stand.rows(`SELECT id, label, email_hash, tag, room FROM ${current} ORDER BY id`);
        const mail = maskOf("a@example.org");
        expect(rows.map(([id, label, ...masks]) => [Number(id), label, masks[0], masks[1]])).toEqual([
          [1, "A", mail, null],
          [2, "B", mail, maskOf("7")],
        ]);
        expect(rows.map((row) => (row[4] === null ? null : JSON.stringify(row[4])))).toEqual([
          expect.stringContaining("1.1"),
          null,
        ]);
      },
    );

    check(
      "keeps exact values, and reads them again where a later package widens their column",
      async (stand) => {
        const columns = { id: true, modified: true, weight: "mass", note: "said" } as const;
        const share = { streams: [{ stream: "farm.plants", columns }] };
        await stand.land([plant(1, day(1), '"weight":9007199254740993,"note":true,"secret":1')]);
        await stand.table({ share });
        await stand.land([plant(2, day(1), '"weight":12345678901234567.89,"note":"words","secret":2')]);
        await stand.table({ share });
        const rows = await stand.rows(`SELECT id, mass, said FROM ${current} ORDER BY id`);
        expect(rows.map(([id, mass, said]) => [Number(id), String(mass).replace(/\.0+$/, ""), said])).toEqual(
          [
            [1, "9007199254740993", "true"],
            [2, "12345678901234567.89", "words"],
          ],
        );
      },
    );

    check("keeps only current rows where that is declared, and no late version comes back", async (stand) => {
      const streams = [{ ...plants, deletedField: "gone" }];
      const share = { keep: "current" } as const;
      await stand.land([plant(1, day(5)), plant(2, day(5)), plant(3, day(1), '"gone":false')]);
      await stand.table({ share, streams });
      await stand.land([plant(1, day(6)), plant(2, day(6), '"gone":true')]);
      await stand.land([plant(2, day(4)), plant(3, day(1), '"gone":false,"more":1')]);
      expect(await stand.table({ share, streams })).toMatchObject({ status: "moved", rows: 4 });
      expect(await idsOf(stand)).toEqual([1, 3]);
      if (options.keepsDeletions)
        expect(Number((await stand.rows(`SELECT count(*) FROM ${history}`))[0]?.[0])).toBe(3);
      await stand.land([plant(2, day(3)), plant(4, day(3))]);
      await stand.table({ share, streams });
      expect(await idsOf(stand)).toEqual([1, 3, 4]);
      expect(await stand.table({ share, streams, mode: "full" })).toMatchObject({
        status: "moved",
        packages: 4,
      });
      expect(await idsOf(stand)).toEqual([1, 3, 4]);
    });

    check("of a refresh shows the new generation alone", async (stand) => {
      const generation = (number: number) =>
        ({
          generation: { number, state: "completed", runId: undefined },
          visible: { number, records: 1 },
        }) as const;
      await stand.land([plant(1, day(1)), plant(2, day(1))]);
      for (const keep of ["history", "current"] as const)
        await stand.table({ share: { keep, name: `replica_${keep}` } });
      await stand.land([plant(2, day(1))], { manifest: generation(2) });
      for (const keep of ["history", "current"] as const) {
        await stand.table({ share: { keep, name: `replica_${keep}` } });
        expect(await idsOf(stand, name(`replica_${keep}`, "plants"))).toEqual([2]);
      }
    });

    check("of a tenant without anything landed makes nothing there", async (stand) => {
      expect(await stand.table()).toMatchObject({ status: "empty", rows: 0 });
      expect(await stand.place.relations()).toEqual([]);
    });
  });

  describe("a receipt", () => {
    check("gives what its query gives there, and depends on rows alone", async (stand) => {
      await stand.land([plant(1, day(1)), plant(2, day(1))]);
      await stand.land([plant(2, day(2))]);
      const { receipts } = await stand.table();
      expect(receipts.map(({ rows }) => rows)).toEqual([2, 3]);
      for (const { query, rows, checksum } of receipts) {
        const [row] = await stand.rows(query);
        expect([Number(row?.[0]), String(row?.[1])]).toEqual([rows, checksum]);
      }
      expect((await stand.table()).receipts).toEqual(receipts);
      expect((await stand.table({ mode: "full" })).receipts).toEqual(receipts);
      await stand.land([plant(2, day(3), '"label":"B"')]);
      const changed = (await stand.table()).receipts;
      expect(changed.map(({ rows }) => rows)).toEqual([2, 4]);
      expect(changed[0]?.checksum).not.toBe(receipts[0]?.checksum);
    });
  });

  describe("a plan", () => {
    check("tells what would move, and moves nothing", async (stand) => {
      await stand.land([plant(1, day(1)), plant(2, day(1))]);
      const planned = { status: "planned", packages: 1, rows: 2, seq: 0, receipts: [] };
      expect(await stand.table({ mode: "plan" })).toMatchObject(planned);
      expect(await stand.place.relations()).toEqual([]);
      await stand.table();
      await stand.land([plant(3, day(1))]);
      expect(await stand.table({ mode: "plan" })).toMatchObject({ packages: 1, rows: 1, seq: 1 });
      expect(await idsOf(stand)).toEqual([1, 2]);
    });
  });

  describe("a table", () => {
    check("of another share, project or tenant is left alone", async (stand) => {
      await stand.land([plant(1, day(1))]);
      await stand.land([plant(2, day(1))], { tenant: "41" });
      await stand.table();
      for (const other of [
        { tenant: "41" },
        { project: "mill" },
        { share: { name: "twin", schema: "replica" } },
      ])
        for (const mode of ["deliver", "full", "plan", "remove"] as const)
          expect(await codeOf(stand.table({ ...other, mode }))).toBe("SHARE_TABLE_TAKEN");
      expect(await idsOf(stand)).toEqual([1]);
    });

    check(
      "made with another declaration is made anew when that is asked for, and not before",
      async (stand) => {
        await stand.land([plant(1, day(1), '"label":"A"'), plant(2, day(1), '"label":"B"')]);
        await stand.table();
        const columns = ["id", "modified"];
        const share = { streams: [{ stream: "farm.plants", columns }] };
        expect(await codeOf(stand.table({ share }))).toBe("SHARE_CHANGED");
        expect(await codeOf(stand.table({ streams: [{ ...plants, primaryKey: ["label"] }] }))).toBe(
          "SHARE_CHANGED",
        );
        expect(await stand.columns(current)).toContain("label");
        expect(await stand.table({ share, mode: "full" })).toMatchObject({ status: "moved", rows: 2 });
        expect(await stand.columns(current)).not.toContain("label");
        await stand.land([plant(3, day(1), '"label":"C"')]);
        expect(await stand.table({ share })).toMatchObject({ status: "moved", rows: 1 });
        expect(await idsOf(stand)).toEqual([1, 2, 3]);
      },
    );

    check("is removed with its ledger, and nothing else is", async (stand) => {
      const rooms = makeStreamSpec({ source: "farm", name: "rooms", landingTable: "farm_rooms" });
      await stand.land([plant(1, day(1))]);
      await stand.land([plant(1, day(1))], { stream: rooms });
      const before = await stand.place.relations();
      await stand.table();
      await stand.table({ share: { name: "other", streams: ["farm.rooms"] }, streams: [rooms] });
      expect(await stand.table({ mode: "remove" })).toMatchObject({ status: "removed", seq: 1 });
      expect(await idsOf(stand, name("other", "rooms"))).toEqual([1]);
      expect(await stand.table({ mode: "remove" })).toMatchObject({ status: "empty" });
      await stand.table({
        mode: "remove",
        share: { name: "other", streams: ["farm.rooms"] },
        streams: [rooms],
      });
      expect(await stand.place.relations()).toEqual(before);
      await stand.table();
      expect(await idsOf(stand)).toEqual([1]);
    });
  });

  describe("what is wrong", () => {
    check("with the name of a column is told with the near one, before anything moves", async (stand) => {
      await stand.land([plant(1, day(1), '"label":"A"')]);
      const wrong = { streams: [{ stream: "farm.plants", columns: ["id", "modified", "lable"] }] };
      const failure = await stand.table({ share: wrong }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: "SHARE_COLUMN_MISSING",
        hint: expect.stringContaining('"label"'),
      });
      expect(await stand.place.relations()).toEqual([]);
      const columns = { id: true, modified: true, lable: { optional: true } } as const;
      await stand.table({ share: { streams: [{ stream: "farm.plants", columns }] } });
      expect(await idsOf(stand)).toEqual([1]);
    });

    check("with a column that disappears costs nothing: new rows have none", async (stand) => {
      const share = { streams: [{ stream: "farm.plants", columns: ["id", "modified", "label"] }] };
      await stand.land([plant(1, day(1), '"label":"A"')]);
      await stand.table({ share });
      await stand.land([plant(2, day(1))]);
      await stand.table({ share });
      expect((await stand.rows(`SELECT label FROM ${current} ORDER BY id`)).map(([label]) => label)).toEqual([
        "A",
        null,
      ]);
    });

    check("with the log is told, and the rows stay", async (stand) => {
      await stand.land([plant(1, day(1))]);
      await stand.table();
      const place = { source: "farm", stream: "plants", tenant: "414" };
      await stand.store.delete(`log/farm/plants/tenant=${place.tenant}/000000000001.json`);
      const failure = await stand.table().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "LOG_REWRITTEN", hint: expect.stringContaining("--full") });
      expect(await idsOf(stand)).toEqual([1]);
    });
  });

  if (!options.canBeAltered) return;
  describe("a customer", () => {
    check("who has a table of that name keeps it", async (stand) => {
      await stand.land([plant(1, day(1))]);
      await stand.place.change!("CREATE SCHEMA replica");
      for (const made of ["TABLE replica.plants (id bigint)", "VIEW replica.plants AS SELECT 7 AS id"]) {
        await stand.place.change!(`CREATE ${made}`);
        const before = await stand.place.relations();
        for (const mode of ["deliver", "full"] as const)
          expect(await codeOf(stand.table({ mode }))).toBe("SHARE_TABLE_TAKEN");
        expect(await stand.table({ mode: "remove" })).toMatchObject({ status: "empty" });
        expect((await stand.place.relations()).filter((one) => !one.includes("_leat_"))).toEqual(before);
        await stand.place.change!(`DROP ${made.split(" ", 2).join(" ")}`);
      }
      await stand.table();
      expect(await idsOf(stand)).toEqual([1]);
    });

    check("who changes rows is told of by name, and a full load mends it", async (stand) => {
      const landing = await landingOf(stand);
      for (const change of [
        `DELETE FROM ${landing} WHERE id = 1`,
        `INSERT INTO ${landing} (tenant_id, _leat_package, _leat_row, id) VALUES ('414', 99, 0, 77)`,
        `INSERT INTO ${landing} (tenant_id, _leat_package, _leat_row, id) VALUES ('other', 1, 0, 77)`,
      ]) {
        await stand.table({ mode: "full" });
        await stand.place.change!(change);
        await stand.land([plant(5, day(5))]);
        expect(await codeOf(stand.table())).toBe("SHARE_TABLE_ALTERED");
        expect(await stand.table({ mode: "full" })).toMatchObject({ status: "moved" });
        expect(await idsOf(stand)).toEqual([1, 2, 5]);
      }
    });

    check("who drops a table or a column of it is told of, and a full load mends it", async (stand) => {
      for (const change of ["ALTER TABLE % DROP COLUMN label CASCADE", "DROP TABLE % CASCADE"]) {
        const landing = await landingOf(stand);
        await stand.table({ mode: "full" });
        const sql = change.replace("%", landing);
        await stand.place.change!(sql).catch(() => stand.place.change!(sql.replace(" CASCADE", "")));
        await stand.land([plant(5, day(5), '"label":"E"')]);
        expect(["LEDGER_MISMATCH", "SHARE_TABLE_ALTERED"]).toContain(await codeOf(stand.table()));
        expect(await stand.table({ mode: "full" })).toMatchObject({ status: "moved" });
        expect(await idsOf(stand)).toEqual([1, 2, 5]);
      }
    });
  });

  async function landingOf(stand: ShareStand): Promise<string> {
    await stand.land([plant(1, day(1), '"label":"A"'), plant(2, day(1), '"label":"B"')]);
    await stand.table({ mode: "full" });
    const found = (await stand.place.relations()).find((one) => one.endsWith(".replica_plants_versions"));
    expect(found).toBeDefined();
    return found!;
  }
}
