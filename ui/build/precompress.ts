/** Writes `.br` and `.gz` beside what was built: compressing on each request cost half a second of the first paint. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/** Files that shrink; fonts and pictures are compressed already. */
const textual = /\.(css|js|json|svg)$/; // Not index.html: the server writes its base into it.

/** Files smaller than this gain less than the header that says so costs, bytes. */
const bytesMin = 256;

export function precompress(): Plugin {
  let folder = "";
  return {
    name: "leat-precompress",
    apply: "build",
    configResolved: ({ root, build }) => {
      folder = join(root, build.outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      handler: async () => {
        const files = await readdir(folder, { recursive: true });
        for (const file of files.filter((name) => textual.test(name))) await compress(join(folder, file));
      },
    },
  };
}

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.byteLength < bytesMin) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  await writeFile(`${path}.br`, await toBrotli(bytes, { params }));
  await writeFile(`${path}.gz`, await toGzip(bytes, { level: 9 }));
}
