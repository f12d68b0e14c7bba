/** A client made of the OpenAPI document: it compiles under strict rules, and its calls are answered. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";
import { openTestHost } from "./open-test-host.ts";

const run = promisify(execFile);

const program = (url: string): string => `
import { client } from "./made/client.gen.ts";
import { getYearYearGeoCodeGeoCode, rowsDeaths } from "./made/sdk.gen.ts";
client.setConfig({ baseUrl: ${JSON.stringify(url)} });
const year = await getYearYearGeoCodeGeoCode({ path: { year: 2018, geo_code: "E00000001" } });
const sum: number = Object.values(year.data!.data).reduce((all: number, each) => all + (each ?? 0), 0);
const rows = await rowsDeaths({ query: { "deaths.gte": 5, sort: ["-deaths"], limit: 2 } });
if (!("rows" in rows.data!)) throw new Error("JSON was asked for");
const first: number | null | undefined = rows.data.rows[0]!.deaths;
const wrong = await getYearYearGeoCodeGeoCode({ path: { year: 2018, geo_code: "nowhere" } });
console.log(JSON.stringify({ sum, first, total: rows.data.total, problem: wrong.error!.status }));
`;

test("a TypeScript client is made of the document, compiles and is answered", {
  timeout: 120_000,
}, async () => {
  await using host = await openTestHost();
  const folder = await mkdtemp(join(tmpdir(), "leat-client-"));
  try {
    const document = (await (await host.get("/openapi.json")).json()) as Record<string, unknown>;
    await writeFile(join(folder, "openapi.json"), JSON.stringify(document));
    const maker = join(import.meta.dirname, "make-client.ts");
    await run(process.execPath, [maker, join(folder, "openapi.json"), join(folder, "made")]);
    await writeFile(join(folder, "program.ts"), program(host.url));
    const options = {
      target: "es2024",
      lib: ["es2024", "dom", "dom.iterable"],
      module: "nodenext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: [],
    };
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["program.ts"] }),
    );
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    await run(join(root, "node_modules/.bin/tsc"), ["-p", folder]);
    const { stdout } = await run(process.execPath, [join(folder, "program.ts")]);
    expect(JSON.parse(stdout)).toEqual({
      sum: expect.any(Number),
      first: expect.any(Number),
      total: expect.any(Number),
      problem: 404,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
