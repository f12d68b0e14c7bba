/** `/sql`: SQL in the visitor's own browser, over the published Parquet. This server executes none of it. */
import { createHash } from "node:crypto";
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { pagePolicy } from "../answer-headers.ts";
import { answerAsset } from "./answer-asset.ts";
import { askApi } from "./ask-api.ts";
import type { Assets } from "./assets.ts";
import type { DatasetFacts, DatasetList } from "./dataset-facts.ts";
import { Html, html } from "./html.ts";
import { answerPage } from "./page-answer.ts";
import { framePage } from "./page-frame.ts";
import { type SqlEngineFiles, sqlEngineInstall } from "./sql-engine.ts";

type SqlPorts = Readonly<{
  spec: ApiSpec;
  api: DataApi;
  assets: Assets;
  sqlEngine: SqlEngineFiles | undefined;
}>;

/** Parts of a dataset that a browser is told of: it asks for each one's end before the first answer. */
const partsMax = 200;

export async function answerSqlPage(asked: ApiRequest, ports: SqlPorts): Promise<ApiAnswer> {
  const { spec, assets, sqlEngine } = ports;
  if (sqlEngine === undefined) {
    const main = html`<h1>SQL in your browser</h1>
<p>The engine that would run it is not installed on this server. Whoever runs it can add it, and start the server again:</p>
<pre><code>${sqlEngineInstall}</code></pre>
<p>Everything else is here: <a href="/">tables</a>, <a href="/docs">the API</a>, and each dataset as Parquet for your own DuckDB.</p>`;
    return await answerPage(asked, framePage(spec, assets, { title: "SQL", place: "/sql", main }));
  }
  const tables = await findTables(asked, ports);
  // The library imports this name for what its own results are read with; ours are read as JSON.
  const imports = JSON.stringify({ imports: { "apache-arrow": assets.address("arrow.js") } });
  const first = tables[0]?.name ?? "";
  const question = `SELECT * FROM "${first.replaceAll('"', '""')}" LIMIT 20;`;
  const main = html`<h1>SQL in your browser</h1>
<p class="lead">Queries run on your own machine, in DuckDB. Of the data it fetches what a query needs. Nothing you type leaves your browser.</p>
<form id="sql" class="sql" data-engine="/sql/engine/${sqlEngine.version}/" data-tables="${JSON.stringify(tables)}">
<label for="query">Query</label>
<textarea id="query" spellcheck="false" autocomplete="off" rows="7">${question}</textarea>
<p class="row"><button type="submit" id="run" disabled>Run</button> <span class="hint">or Ctrl + Enter</span>
<span id="state" role="status">Waiting for JavaScript.</span></p>
</form>
<section aria-label="Result"><div id="result" class="scroll" tabindex="0" role="region" aria-label="Rows"></div></section>
<h2>Tables</h2>
${tables.map(
  ({ name, columns }) => html`<details class="card"><summary><code>${name}</code></summary>
<ul class="columns">${columns.map((column) => html`<li><code>${column.name}</code> <span class="type">${column.type}</span> ${column.description ?? ""}</li>`)}</ul></details>`,
)}`;
  const head = new Html(`<script type="importmap">${imports}</script>`); // JSON of our own address.
  const page = framePage(spec, assets, { title: "SQL", place: "/sql", main, head, scripts: ["sql.js"] });
  const importsHash = createHash("sha256").update(imports).digest("base64");
  return await answerPage(asked, page, { wasm: true, scriptHash: importsHash });
}

/** Tables as the browser's script makes them. */
type SqlTable = Readonly<{
  name: string;
  urls: readonly string[];
  columns: DatasetFacts["columns"];
}>;

async function findTables(asked: ApiRequest, { api }: SqlPorts): Promise<readonly SqlTable[]> {
  const list = await askApi<DatasetList>(api, "/datasets", asked);
  if ("problem" in list) return [];
  const tables = await Promise.all(
    list.value.datasets.map(async ({ name, url }): Promise<SqlTable | undefined> => {
      const reply = await askApi<DatasetFacts>(api, url, asked);
      if ("problem" in reply || reply.value.parts.length > partsMax) return undefined;
      const { parts, columns } = reply.value;
      return {
        name,
        urls: parts.map((part) => part.url),
        columns: columns.map(({ name: column, type, description }) => ({ name: column, type, description })),
      };
    }),
  );
  return tables.filter((table) => table !== undefined);
}

/** The engine's own files. Its worker has a policy of its own: it compiles WebAssembly, and asks this server alone. */
export async function answerSqlFile(
  asked: ApiRequest,
  { sqlEngine }: SqlPorts,
  path: string,
): Promise<ApiAnswer | undefined> {
  const [word, version, name = ""] = path.split("/");
  const file = sqlEngine?.files.get(name);
  if (word !== "engine" || version !== sqlEngine?.version || file === undefined) return undefined;
  const policy = pagePolicy({ wasm: true });
  return await answerAsset(asked, file, ["content-security-policy", policy]);
}
