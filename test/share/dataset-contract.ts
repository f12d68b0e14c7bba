/** What every target must do for datasets that are shared by their tenant's column: the same tests on each engine. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineDataset } from "../../src/define/define-dataset.ts";
import { fromRows } from "../../src/define/define-dataset-inputs.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import { maskOf, type ShareContractOptions } from "./share-contract.ts";
import { type DeliverOptions, openStand, type SharePlace, type ShareStand } from "./share-stand.ts";

const columns = { owner: z.string(), n: z.int(), said: z.string().nullable() };

/** A dataset whose versions are published by hand. */
const bookOf = (schemas: Readonly<Record<string, z.core.$ZodType>>): DatasetSpec =>
  defineDataset({
    name: "book",
    description: "Whose is what.",
    columns: schemas,
    key: ["owner", "n"],
    tenantColumn: "owner",
    from: fromRows(() => []),
  });

const book = bookOf(columns);

/** Ids that one careless comparison would take for `41`. */
const lookAlikes = [
  " 41",
  "41 ",
  "041",
  "41.0",
  "4１",
  "٤١",
  "4",
  "414",
  "41\u200b",
  "41' OR '1'='1",
  '41"',
  "41\\",
  "4_",
  "4%",
  "",
  "null",
];

/** Defines the tests. */
export function datasetContract(
  openPlace: () => Promise<SharePlace>,
  { name, canBeAltered, hasNul = true }: ShareContractOptions & Readonly<{ hasNul?: boolean }>,
): void {
  const table = name("replica", "book");
  const check = (title: string, run: (stand: ShareStand) => Promise<void>): void =>
    test(title, async () => {
      await using stand = await openStand(openPlace);
      await run(stand);
    });
  const sharing = (tenant: string, options: DeliverOptions = {}): DeliverOptions => ({
    tenant,
    datasets: [book],
    streams: [],
    ...options,
    share: { streams: [], datasets: ["book"], ...options.share },
  });
  const rowsOf = async (stand: ShareStand): Promise<readonly unknown[]> =>
    (await stand.rows(`SELECT owner, n, said FROM ${table} ORDER BY n`)).map(([owner, n, said]) => [
      owner,
      Number(n),
      said,
    ]);
  const codeOf = async (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => "did not fail",
      (error: { code?: string }) => error.code ?? error,
    );

  describe("a dataset across tenants", () => {
    check("brings each version's rows of the tenant, once, in place of those before", async (stand) => {
      const others = [
        { owner: "42", n: 3, said: "not yours" },
        { owner: "4", n: 4, said: "nor these" },
      ];
      expect(await stand.table(sharing("41"))).toMatchObject({ status: "empty", rows: 0 });
      const { seq } = await stand.publish(book, [
        { owner: "41", n: 1, said: "a" },
        { owner: "41", n: 2, said: null },
        ...others,
      ]);
      const delivered = await stand.table(sharing("41"));
      expect(delivered).toMatchObject({ status: "moved", packages: 1, rows: 2, rejected: 0, seq });
      expect(await rowsOf(stand)).toEqual([
        ["41", 1, "a"],
        ["41", 2, null],
      ]);
      const { receipts } = delivered;
      expect(receipts.map(({ rows }) => rows)).toEqual([2]);
      const [counted] = await stand.rows(receipts[0]!.query);
      expect([Number(counted?.[0]), String(counted?.[1])]).toEqual([2, receipts[0]!.checksum]);
      const unchanged = { status: "unchanged", packages: 0, rows: 0, seq, receipts };
      expect(await stand.table(sharing("41"))).toMatchObject(unchanged);
      await stand.publish(book, [
        ...others,
        { owner: "41", n: 2, said: "b" },
        { owner: "41", n: 5, said: "c" },
      ]);
      expect(await stand.table(sharing("41"))).toMatchObject({ status: "moved", packages: 1, rows: 2 });
      expect(await rowsOf(stand)).toEqual([
        ["41", 2, "b"],
        ["41", 5, "c"],
      ]);
      expect(await stand.table(sharing("41", { mode: "verify" }))).toMatchObject({ status: "verified" });
      await stand.publish(book, others);
      expect(await stand.table(sharing("41"))).toMatchObject({ status: "moved", rows: 0 });
      expect(await rowsOf(stand)).toEqual([]);
    });

    check(
      "brings nobody else's, whatever ids look like, and an empty table to who has none",
      async (stand) => {
        const ids = ["41", ...lookAlikes];
        await stand.publish(
          book,
          ids.map((owner, n) => ({ owner, n, said: owner })),
        );
        for (const id of ["41' OR '1'='1", "nobody"]) {
          const share = { name: `to_${ids.indexOf(id) + 1}`, schema: "replica" };
          const own = ids.includes(id) ? [[id, ids.indexOf(id), id]] : [];
          expect(await stand.table(sharing(id, { share }))).toMatchObject({
            status: "moved",
            rows: own.length,
          });
          expect(await rowsOf(stand)).toEqual(own);
          expect(await stand.table(sharing(id, { share }))).toMatchObject({ status: "unchanged" });
          await stand.table(sharing(id, { share, mode: "remove" }));
        }
      },
    );

    check("keeps values of every type exactly", async (stand) => {
      const text = `tab\t"q" \\ é 🎃\u2028${hasNul ? "\0" : ""}\n`;
      const spec = bookOf({
        owner: z.string(),
        n: z.int(),
        big: z.bigint().nullable(),
        text: z.string().nullable(),
        exact: z.string().nullable().meta({ type: "decimal(38,3)" }),
        real: z.number().nullable(),
        yes: z.boolean().nullable(),
        day: z.iso.date().nullable(),
        naive: z.iso.datetime({ local: true }).nullable(),
        zoned: z.iso.datetime({ offset: true }).nullable(),
        json: z.json().nullable(),
      });
      await stand.publish(spec, [
        {
          owner: "41",
          n: 9007199254740991,
          big: "-9223372036854775807",
          text,
          exact: "12345678901234567890.123",
          real: 1e-7,
          yes: false,
          day: "0001-01-01",
          naive: "2024-02-29T23:59:59.123456",
          zoned: "2024-03-31T01:30:00.000001+02:00",
          json: { b: [1.1, null, "x\ny"], a: "é" },
        },
        { owner: "41", n: 2 },
      ]);
      expect(await stand.table(sharing("41", { datasets: [spec] }))).toMatchObject({ rows: 2, rejected: 0 });
      const names = ["n", "big", "text", "exact", "real", "yes", "day", "naive", "zoned", "json"];
      const rows = await stand.rows(`SELECT ${names.join(", ")} FROM ${table} ORDER BY n`);
      expect(rows).toHaveLength(2);
      expect(rows[0]?.slice(1)).toEqual(names.slice(1).map(() => null));
      const [n, big, said, exact, real, yes, day, naive, zoned, json] = rows[1]!;
      expect([n, big, exact].map(String)).toEqual([
        "9007199254740991",
        "-9223372036854775807",
        "12345678901234567890.123",
      ]);
      expect([said, Number(real), yes, String(day).slice(0, 10)]).toEqual([text, 1e-7, false, "0001-01-01"]);
      expect(String(naive).replace("T", " ")).toContain("2024-02-29 23:59:59.123456");
      expect(String(zoned).replace("T", " ")).toContain("2024-03-30 23:30:00.000001");
      expect(typeof json === "string" ? JSON.parse(json) : json).toEqual({ b: [1.1, null, "x\ny"], a: "é" });
    });

    check("shares the columns that are named, renamed and masked, and always the tenant's", async (stand) => {
      await stand.publish(book, [
        { owner: "41", n: 1, said: "a@example.org" },
        { owner: "41", n: 2, said: null },
      ]);
      const columns = { n: "number", said: { mask: true, as: "said_hash" } } as const;
      const share = { salt: "env:SALT", datasets: [{ dataset: "book", table: "mine", columns }] };
      await stand.table(sharing("41", { share }));
      const mine = name("replica", "mine");
      const own = ["_leat_package", "_leat_row", "_leat_extracted_at"];
      expect([...(await stand.columns(mine))].sort()).toEqual(
        ["owner", "number", "said_hash", ...own].sort(),
      );
      const rows = await stand.rows(`SELECT owner, number, said_hash FROM ${mine} ORDER BY number`);
      expect(rows.map(([owner, n, mask]) => [owner, Number(n), mask])).toEqual([
        ["41", 1, maskOf("a@example.org", "41")],
        ["41", 2, null],
      ]);
    });

    check("whose columns change is put in place at once, with the new ones", async (stand) => {
      await stand.publish(book, [{ owner: "41", n: 1, said: "7" }]);
      await stand.table(sharing("41"));
      const after = bookOf({ owner: z.string(), n: z.int(), said: z.int().nullable(), more: z.string() });
      await stand.publish(after, [{ owner: "41", n: 1, said: 8, more: "new" }]);
      const datasets = [after];
      expect(await stand.table(sharing("41", { datasets, mode: "plan" }))).toMatchObject({
        packages: 1,
        rows: 1,
      });
      expect(await stand.table(sharing("41", { datasets }))).toMatchObject({ status: "moved", rows: 1 });
      const [row] = await stand.rows(`SELECT said, more FROM ${table}`);
      expect([Number(row?.[0]), row?.[1]]).toEqual([8, "new"]);
      expect(await stand.table(sharing("41", { datasets }))).toMatchObject({ status: "unchanged" });
      const less = { datasets: [{ dataset: "book", columns: ["n"] }] };
      expect(await codeOf(stand.table(sharing("41", { datasets, share: less })))).toBe("SHARE_CHANGED");
      await stand.table(sharing("41", { datasets, share: less, mode: "full" }));
      expect(await stand.columns(table)).not.toContain("said");
    });

    check("that is delivered late changes nothing of a newer version", async (stand) => {
      await stand.publish(book, [{ owner: "41", n: 1, said: "old" }]);
      const versions: DeliverOptions["versions"] = (all) => ({
        ...all,
        // While the rows of the old version are on their way, the new one is built and delivered by another.
        writeRows: async (request, file, signal) => {
          await all.writeRows(request, file, signal);
          await stand.publish(book, [{ owner: "41", n: 2, said: "new" }]);
          await stand.table(sharing("41"));
        },
      });
      const { tables } = await stand.deliver(sharing("41", { versions }));
      expect([undefined, "STATE_CONFLICT"]).toContain(tables[0]?.error?.code);
      expect(await rowsOf(stand)).toEqual([["41", 2, "new"]]);
      expect(await stand.table(sharing("41"))).toMatchObject({ status: "unchanged", seq: 2 });
      expect(await stand.table(sharing("41", { mode: "verify" }))).toMatchObject({ receipts: [{ rows: 1 }] });
    });

    check("is planned, made anew and taken away as a stream is, and left to who has it", async (stand) => {
      await stand.publish(book, [{ owner: "41", n: 1, said: "a" }]);
      const before = await stand.place.relations();
      const planned = { status: "planned", packages: 1, rows: 1, seq: 0 };
      expect(await stand.table(sharing("41", { mode: "plan" }))).toMatchObject(planned);
      expect(await stand.place.relations()).toEqual(before);
      const { receipts } = await stand.table(sharing("41"));
      expect((await stand.table(sharing("41", { mode: "full" }))).receipts).toEqual(receipts);
      expect(await stand.table(sharing("41", { mode: "plan" }))).toMatchObject({ packages: 0 });
      for (const mode of ["deliver", "remove"] as const)
        expect(await codeOf(stand.table({ ...sharing("41", { mode }), tenant: "42" }))).toBe(
          "SHARE_TABLE_TAKEN",
        );
      expect(await rowsOf(stand)).toEqual([["41", 1, "a"]]);
      expect(await stand.table(sharing("41", { mode: "remove" }))).toMatchObject({ status: "removed" });
      expect(await stand.place.relations()).toEqual(before);
    });

    if (canBeAltered)
      check("whose rows somebody has changed is told of, and nothing is lost of it", async (stand) => {
        await stand.publish(book, [
          { owner: "41", n: 1, said: "a" },
          { owner: "41", n: 2, said: "b" },
        ]);
        await stand.table(sharing("41"));
        const landing = (await stand.place.relations()).find((one) => one.endsWith(".replica_book_versions"));
        const changes = [
          `DELETE FROM ${landing}`,
          `INSERT INTO ${landing} (owner, _leat_package, _leat_row, n) VALUES ('41', 99, 0, 77)`,
        ];
        for (const [at, change] of changes.entries()) {
          await stand.place.change!(change);
          expect(await codeOf(stand.table(sharing("41", { mode: "verify" })))).toBe("SHARE_TABLE_ALTERED");
          await stand.publish(book, [{ owner: "41", n: 3 + at, said: "c" }]);
          expect(await codeOf(stand.table(sharing("41")))).toBe("SHARE_TABLE_ALTERED");
          await stand.table(sharing("41", { mode: "full" }));
          expect(await rowsOf(stand)).toEqual([["41", 3 + at, "c"]]);
        }
        await stand.place.change!(`UPDATE ${landing} SET n = 8`);
        // Nobody has asked: what was counted last is told again.
        expect(await stand.table(sharing("41"))).toMatchObject({ status: "unchanged" });
        expect(await codeOf(stand.table(sharing("41", { mode: "verify" })))).toBe("SHARE_TABLE_ALTERED");
      });
  });
}
