/**
 * SQL in the browser. The engine runs in a worker; of the published Parquet it asks for the parts that a query needs, by
 * range requests to this server and no other.
 */
const form = document.getElementById("sql");
const query = document.getElementById("query");
const run = document.getElementById("run");
const state = document.getElementById("state");
const result = document.getElementById("result");

/** Rows that are shown; a query without a limit of its own may have millions. */
const rowsMax = 1000;
/** The engine's only file of its own. */
const answerFile = "answer.csv";

const quoteName = (name) => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text) => `'${text.replaceAll("'", "''")}'`;

/** Loads the engine and makes a view of each dataset. */
async function start() {
  const base = new URL(form.dataset.engine, location.href).href;
  const { AsyncDuckDB, VoidLogger } = await import(`${base}duckdb-browser.mjs`);
  const db = new AsyncDuckDB(new VoidLogger(), new Worker(`${base}duckdb-browser-eh.worker.js`));
  await db.instantiate(`${base}duckdb-eh.wasm`);
  // Whole files would be fetched where a range cannot be had: better an error than a gigabyte.
  await db.open({ filesystem: { allowFullHTTPReads: false, reliableHeadRequests: true } });
  const connection = await db.connect();
  const ask = (sql) => connection.useUnsafe((bindings, id) => bindings.runQuery(id, sql));
  // What is not built in would be fetched from elsewhere.
  await ask("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false");
  for (const { name, urls } of JSON.parse(form.dataset.tables)) {
    const files = urls.map((url) => quoteText(new URL(url, location.href).href));
    await ask(`CREATE VIEW ${quoteName(name)} AS SELECT * FROM read_parquet([${files.join(", ")}])`);
  }
  return { db, ask };
}

/** Runs one query. Its rows come as CSV: every digit and every text as the engine writes it. */
async function answer({ db, ask }, sql) {
  const text = sql.trim().replace(/;+\s*$/, "");
  await db.registerEmptyFileBuffer(answerFile); // Else the engine warns that it is not there yet.
  const limited = `SELECT * FROM (${text}\n) LIMIT ${rowsMax + 1}`;
  await ask(`COPY (${limited}) TO '${answerFile}' (FORMAT csv, HEADER true, FORCE_QUOTE *)`);
  const bytes = await db.copyFileToBuffer(answerFile);
  await db.dropFile(answerFile);
  return parseCsv(new TextDecoder().decode(bytes));
}

/** Fields in quotes are texts; one that is empty and without is null. Names may stand without, too. */
function parseCsv(text) {
  const rows = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^,"\n]*))(,|\n|$)/gy;
  for (let match = field.exec(text); match !== null && match.index < text.length; match = field.exec(text)) {
    const [, quoted, bare, end] = match;
    rows.at(-1).push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
  }
  if (rows.at(-1).length === 0) rows.pop();
  return rows;
}

/** Shows rows; the first one has the names. */
function show([columns = [], ...rows]) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = column;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, rowsMax)) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      cell.textContent = value ?? "empty";
      if (value === null) cell.className = "empty";
    }
  }
  result.replaceChildren(...(columns.length === 0 ? [] : [table]));
}

state.textContent = "Loading the engine, some 4 MB, once …";
let engine;
try {
  engine = await start();
  state.textContent = "Ready.";
  run.disabled = false;
} catch (error) {
  state.textContent = `The engine could not be started: ${error.message}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (engine === undefined || run.disabled) return;
  run.disabled = true;
  state.textContent = "Running …";
  const startedAt = performance.now();
  try {
    const rows = await answer(engine, query.value);
    show(rows);
    const found = Math.max(0, rows.length - 1);
    const count = found > rowsMax ? `the first ${rowsMax} rows` : `${found} ${found === 1 ? "row" : "rows"}`;
    state.textContent = `${count} in ${Math.round(performance.now() - startedAt)} ms`;
  } catch (error) {
    result.replaceChildren();
    state.textContent = error.message;
  } finally {
    run.disabled = false;
  }
});
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
