/**
 * Tables of a share in a dataset of BigQuery, which is a customer's: who fills them, how that is checked, how they go.
 *
 * Who fills a stream's tables is said by a view of one row, `_leat_share_<hash>`: making one with its content is a single
 * step that only one of many succeeds with. Tables cannot be exchanged with their ledger in one step here, so that a full
 * load empties what is there and loads it again.
 */
import { LeatError } from "../../errors/leat-error.ts";
import { toTenantId } from "../../model/ids.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { CheckQuery, ShareOwner } from "../../ports/warehouse.ts";
import { forgetStream } from "./forget-stream.ts";
import type { BatchPorts } from "./load-batch.ts";
import { quoteName, quotePath, quoteText } from "./sql-text.ts";
import { historyName, type ViewPorts, viewsDataset } from "./stream-views.ts";
import { print, type TablePlace } from "./tables.ts";
import { turnTable } from "./turn-table.ts";

const ownerPlace = ({ catalog }: Pick<ViewPorts, "catalog">, spec: StreamSpec): TablePlace =>
  catalog.place(turnTable(spec).replace("_leat_turn_", "_leat_share_"));

/** That view's query, without and with what the last delivery has counted. */
const ownerPattern =
  /^SELECT '(?<owner>[A-Za-z0-9_-]+)' AS owner(?:, '(?<receipts>[A-Za-z0-9_-]*)' AS receipts)?$/;

const encode = (text: string): string => Buffer.from(text).toString("base64url");
const decode = (text: string): string => Buffer.from(text, "base64url").toString();

/** Who fills the stream's tables. */
export async function readOwner(ports: ViewPorts, spec: StreamSpec): Promise<ShareOwner | undefined> {
  const found = await ports.tables.find(ownerPlace(ports, spec));
  if (found === undefined) return undefined;
  const encoded = ownerPattern.exec(found.query ?? "")?.groups?.["owner"];
  const fields: unknown = encoded === undefined ? undefined : JSON.parse(decode(encoded));
  if (Array.isArray(fields) && fields.length === 4 && fields.every((field) => typeof field === "string")) {
    const [project, share, tenant, declaration] = fields as [string, string, string, string]; // Compared above.
    return { project, share, tenant: toTenantId(tenant), declaration };
  }
  throw new LeatError("WAREHOUSE_UNREADABLE", {
    message: `The view ${print(ownerPlace(ports, spec))}, which says who fills ${spec.source}.${spec.name}, was changed.`,
    hint: "Somebody edited it: restore it, or drop the tables of the share and it.",
  });
}

/** Makes `owner` the one who fills them, unless somebody does. */
export async function claimTables(
  ports: ViewPorts,
  spec: StreamSpec,
  owner: ShareOwner,
): Promise<ShareOwner> {
  const held = await readOwner(ports, spec);
  if (held !== undefined) return held;
  await ports.catalog.make();
  await refuseTaken(ports, spec);
  const { project, share, tenant, declaration } = owner;
  const encoded = encode(JSON.stringify([project, share, tenant, declaration]));
  const description = `The share "${share}" of ${project} fills ${spec.source}.${spec.name}.`;
  await ports.tables.makeView(ownerPlace(ports, spec), `SELECT '${encoded}' AS owner`, description);
  return (await readOwner(ports, spec)) ?? owner;
}

/** What the last delivery has counted. */
export async function readReceipts(ports: ViewPorts, spec: StreamSpec): Promise<string | undefined> {
  const found = await ports.tables.find(ownerPlace(ports, spec));
  const encoded = ownerPattern.exec(found?.query ?? "")?.groups?.["receipts"];
  return encoded === undefined ? undefined : decode(encoded);
}

/** Keeps what a delivery has counted. */
export async function keepReceipts(ports: ViewPorts, spec: StreamSpec, receipts: string): Promise<void> {
  const place = ownerPlace(ports, spec);
  const found = await ports.tables.find(place);
  const owner = ownerPattern.exec(found?.query ?? "")?.groups?.["owner"];
  if (owner === undefined) return; // Removed meanwhile.
  await ports.tables.changeView(place, `SELECT '${owner}' AS owner, '${encode(receipts)}' AS receipts`);
}

/** What is there under one of the names, though no share has claimed them, is somebody else's. */
async function refuseTaken(ports: ViewPorts, spec: StreamSpec): Promise<void> {
  const dataset = viewsDataset(ports.viewsPrefix, spec.source);
  const wanted = [
    { dataset, table: spec.name },
    { dataset, table: historyName(spec.name) },
    ports.catalog.place(spec.landingTable),
  ];
  for (const place of wanted) {
    if ((await ports.tables.find(place)) === undefined) continue;
    throw new LeatError("SHARE_TABLE_TAKEN", {
      message: `There is a table or view ${print(place)} that no share has made; nothing was changed.`,
      details: { table: print(place) },
    });
  }
}

/** Removes the tables, their ledger and who fills them. leat's own tables stay: a late job must find its count there. */
export async function removeTables(ports: BatchPorts, spec: StreamSpec): Promise<void> {
  await forgetStream(ports, spec);
  await ports.tables.drop(ownerPlace(ports, spec));
}

/** Hashes are cut to twelve digits, so that sums of nine million stay within 64 bits. */
const hash = (text: string): string => `MOD(FARM_FINGERPRINT(${text}), 1000000000000)`;

/** How the customer can check the current rows, and the history. */
export async function checkQueries(ports: ViewPorts, spec: StreamSpec): Promise<readonly CheckQuery[]> {
  const { mine, columns } = await ports.catalog.readState(spec);
  if (mine === undefined) return [];
  const dataset = viewsDataset(ports.viewsPrefix, spec.source);
  const cells = columns
    .filter(({ type }) => type.type !== "unknown")
    .map(
      ({ name }) =>
        `IF(r.${quoteName(name)} IS NULL, 0, ${hash(`CONCAT(${quoteText(`${name}=`)}, CAST(r.${quoteName(name)} AS STRING))`)})`,
    );
  const own = [
    `r.${quoteName(mine.tenantColumn)}`,
    `CAST(r.${leatColumns.package} AS STRING)`,
    `CAST(r.${leatColumns.row} AS STRING)`,
  ];
  const row = hash(`CONCAT(CAST(${["0", ...cells].join(" + ")} AS STRING), ' ', ${own.join(", ' ', ")})`);
  const views = spec.isCurrentOnly === true ? [spec.name] : [spec.name, historyName(spec.name)];
  return views.map((view) => {
    const table = quotePath(ports.project, dataset, view);
    const sql = `SELECT COUNT(*) AS row_count, CAST(IFNULL(SUM(${row}), 0) AS STRING) AS checksum FROM ${table} AS r`;
    return { table, sql };
  });
}
