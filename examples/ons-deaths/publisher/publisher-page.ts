/**
 * The publisher: a page of links to workbooks on this machine's loopback, made by us, serving real files.
 *
 * `ONS_WORKBOOKS` names another folder of workbooks, whatever their names.
 */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";

const ownFolder = join(import.meta.dirname, "../workbooks");

let page: Promise<string> | undefined;

/** Starts the page once in a process, on a free port. It keeps no process alive. */
export function publisherPage(): Promise<string> {
  const named = process.env["ONS_WORKBOOKS"];
  page ??= servePage(named === undefined || named === "" ? ownFolder : resolve(named)).then(
    ({ server, url }) => {
      server.unref();
      return url;
    },
  );
  return page;
}

/** Serves a folder of workbooks: a page at `/`, the files below it. */
export async function servePage(folder: string): Promise<{ server: Server; url: string }> {
  await stat(folder); // A folder that is not there is told here, and not as a page without links.
  const server = createServer((request, response) => {
    answer(folder, request.url ?? "/", request.headers["if-none-match"], response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return { server, url: `http://127.0.0.1:${port}/` };
}

async function answer(
  folder: string,
  path: string,
  known: string | undefined,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("connection", "close"); // The process that asks may end at any moment.
  const names = (await readdir(folder)).filter((name) => /\.xlsx?$/i.test(name)).sort();
  if (path === "/") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(printPage(names));
    return;
  }
  const name = names.find((each) => path === `/${encodeURIComponent(each)}`);
  if (name === undefined) {
    response.writeHead(404).end("There is no such file.");
    return;
  }
  const file = join(folder, name);
  const { size, mtime } = await stat(file);
  const etag = `"${size}-${mtime.getTime()}"`;
  response.setHeader("etag", etag);
  response.setHeader("last-modified", mtime.toUTCString());
  if (known === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader("content-type", "application/vnd.ms-excel");
  response.setHeader("content-length", size);
  createReadStream(file).pipe(response);
}

const printPage = (names: readonly string[]): string => `<!doctype html>
<html lang="en">
<title>Monthly figures on deaths registered by area of usual residence</title>
<h1>Monthly figures on deaths registered by area of usual residence</h1>
<ul>
${names.map((name) => `<li><a href="${encodeURIComponent(name)}">${escapeHtml(name)}</a>`).join("\n")}
</ul>
</html>
`;

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
