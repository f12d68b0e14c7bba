/** A request as people type it elsewhere. */

/** In single quotes for a shell. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The token is read where it is used: it stands in no history. */
export function printCurl(
  href: string,
  { method = "GET", body }: Readonly<{ method?: string; body?: string }> = {},
): string {
  return [
    `curl ${method === "GET" ? "" : `-X ${method} `}${quote(href)}`,
    `  -H "authorization: Bearer $LEAT_TOKEN"`,
    ...(body === undefined ? [] : [`  -H 'content-type: application/json'`, `  -d ${quote(body)}`]),
  ].join(" \\\n");
}

export function printTypeScript(
  href: string,
  { method = "GET", body }: Readonly<{ method?: string; body?: string }> = {},
): string {
  const headers = `{ authorization: \`Bearer \${process.env["LEAT_TOKEN"]}\`${body === undefined ? "" : ', "content-type": "application/json"'} }`;
  return [
    `const answer = await fetch(${JSON.stringify(href)}, {`,
    ...(method === "GET" ? [] : [`  method: ${JSON.stringify(method)},`]),
    `  headers: ${headers},`,
    ...(body === undefined ? [] : [`  body: JSON.stringify(${body}),`]),
    "});",
    "if (!answer.ok) throw new Error(await answer.text());",
    "const found = await answer.json();",
  ].join("\n");
}
