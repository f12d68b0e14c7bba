/** The statements that a page of the documentation prints, so that a test runs what a person would paste. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const docs = join(import.meta.dirname, "../../docs");

/**
 * Blocks of SQL of a page, in their order.
 *
 * @param names - what stands for a name of the page's: roles are the whole server's, and tests share one.
 */
export async function sqlOfPage(
  page: string,
  names: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const text = await readFile(join(docs, page), "utf8");
  return [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql = ""]) =>
    Object.entries(names).reduce(
      (said, [from, to]) => said.replaceAll(new RegExp(`\\b${from}\\b`, "g"), to),
      sql,
    ),
  );
}
