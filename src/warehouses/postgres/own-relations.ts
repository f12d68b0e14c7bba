/**
 * Which tables and views are leat's: each carries a comment that says so, and of which schema's warehouse. What has no
 * such comment is somebody else's, and is neither replaced nor dropped.
 */
import { LeatError } from "../../errors/leat-error.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { quoteText } from "./sql-text.ts";

/** A relation's place; `sql` is both names, quoted. */
type Name = Readonly<{ schema: string; name: string; sql: string }>;

export type RelationKind = "TABLE" | "VIEW";

/** What stands under a name. */
export type Relation = Readonly<{ kind: RelationKind; comment: string }>;

/** What stands under a name; `undefined`: nothing. */
export async function readRelation(session: PostgresSession, name: Name): Promise<Relation | undefined> {
  const [row] = await session.rows(
    `SELECT c.relkind AS kind, coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteText(name.schema)} AND c.relname = ${quoteText(name.name)}`,
  );
  if (row === undefined) return undefined;
  return { kind: row["kind"] === "v" ? "VIEW" : "TABLE", comment: row["comment"] ?? "" };
}

/** What a comment of leat's begins with. */
const markOf = (session: PostgresSession) => `leat warehouse ${session.address.schema}: `;

/** Says of a relation that it is leat's. */
export async function markOwn(
  session: PostgresSession,
  kind: RelationKind,
  name: Name,
  what: string,
): Promise<void> {
  await session.run(`COMMENT ON ${kind} ${name.sql} IS ${quoteText(markOf(session) + what)}`);
}

/** Whether a relation is this warehouse's. */
export function isOwn(session: PostgresSession, relation: Relation): boolean {
  return relation.comment.startsWith(markOf(session));
}

/** What leat says of a short name in its own schema. */
export const shortNameMark = "short name";

/** Whether a relation is a short name, which leat may take away. */
export function isShortName(session: PostgresSession, relation: Relation): boolean {
  return relation.comment === markOf(session) + shortNameMark;
}

/**
 * Frees a name for a relation of leat's: drops what leat has made under it.
 *
 * @param mayDrop - `short name`: nothing but a short name, since a table holds rows.
 * @throws LeatError `CONFIG_INVALID` when it is somebody else's.
 */
export async function claim(
  session: PostgresSession,
  name: Name,
  mayDrop: "own" | "short name",
): Promise<void> {
  const there = await readRelation(session, name);
  if (there === undefined) return;
  if (mayDrop === "own" ? isOwn(session, there) : isShortName(session, there)) {
    await session.run(`DROP ${there.kind} ${name.sql}`);
    return;
  }
  throw new LeatError("CONFIG_INVALID", {
    message: `The name ${name.schema}.${name.name} is taken in ${session.address.url}: there is a ${there.kind.toLowerCase()} which this warehouse has not made.`,
    hint: "Rename or drop it, rename the stream or its `landingTable`, or give this project a schema of its own (?schema=name).",
    details: { schema: name.schema, name: name.name },
  });
}
