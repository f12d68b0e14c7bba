/** A question as code to copy: what was found by looking, asked by a program. */
import { type Html, html } from "./html.ts";

/** Text as a JavaScript and Python string; JSON's escapes are both languages'. */
const quote = (text: string): string => JSON.stringify(text);
/** Text as one word of a shell. */
const quoteShell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Blocks of code for an address. `key`: whether one must be sent. */
export function copyBlocks(url: string, needsKey: boolean): Html {
  const header = needsKey ? ` -H "Authorization: Bearer $LEAT_KEY"` : "";
  const codes = [
    ["curl", `curl${header} ${quoteShell(url)}`],
    [
      "TypeScript",
      `const response = await fetch(${quote(url)}${needsKey ? ', {\n  headers: { authorization: "Bearer " + process.env.LEAT_KEY },\n}' : ""});
if (!response.ok) throw new Error(await response.text());
const { total, rows } = await response.json();
console.log(total, rows[0]);`,
    ],
    [
      "Python",
      `import json${needsKey ? ", os" : ""}
from urllib.request import Request, urlopen

request = Request(${quote(url)}${needsKey ? ', headers={"Authorization": "Bearer " + os.environ["LEAT_KEY"]}' : ""})
with urlopen(request) as response:
    page = json.load(response)
print(page["total"], page["rows"][0])`,
    ],
  ] as const;
  return html`${codes.map(
    ([name, code]) =>
      html`<details class="copy"><summary>Copy as ${name}</summary><div class="code"><pre tabindex="0" role="region" aria-label="${name}"><code>${code}</code></pre></div></details>`,
  )}`;
}
