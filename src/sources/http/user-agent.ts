/** How leat names itself to those whom it asks. */
import { readFileSync } from "node:fs";

/**
 * `leat/0.1.0`, with what a project puts before it.
 *
 * @param own - who asks and where they can be reached; `undefined`: leat alone.
 */
export function userAgent(own: string | undefined): string {
  // package.json lies three folders above, in the repository as in the published package.
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string }; // Our own file.
  return own === undefined ? `leat/${version}` : `${own} leat/${version}`;
}
