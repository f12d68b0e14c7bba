/** The console's files: what `vite build` has made, as it is, already compressed. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { unbuiltPage } from "./unbuilt-page.ts";

/** What is served, and where. */
export type UiPlace = Readonly<{
  /** `undefined`: the console is not built. */
  folder: URL | undefined;
  /** What addresses begin with where a proxy stands in front: empty, or `/leat`. */
  basePath: string;
}>;

const contentTypes: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  woff2: "font/woff2",
};

/** Nothing from elsewhere, and no script in the page itself. Styles: the chart library writes them into its drawings. */
const pagePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * A policy that comes with a script counts where it runs as a worker, and nowhere else. The one worker compiles
 * WebAssembly: the engine for SQL. So pages themselves need not be allowed to.
 */
const workerPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** Headers of everything that browsers show or run. */
const guards = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
} as const;

const year = "public, max-age=31536000, immutable";

/** Codings in which files lie beside the plain ones, the smaller first. */
const codings = [
  { name: "br", ending: ".br" },
  { name: "gzip", ending: ".gz" },
] as const;

/** Path of a request as it was sent, without its query. */
const pathOf = (request: FastifyRequest): string => request.url.split("?")[0] ?? "";

/** Whether a request that no route takes is one for the console. */
export function isUiRequest(request: FastifyRequest): boolean {
  const isRead = request.method === "GET" || request.method === "HEAD";
  return isRead && /^\/(?!\/|api(\/|$))/i.test(decodePath(pathOf(request)) ?? "//");
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/**
 * Answers with a file of the console, or with its page, which knows by itself what to show at an address.
 *
 * @returns `false`: there is no such file, and whoever asks wants no page.
 */
export async function answerUi(
  request: FastifyRequest,
  reply: FastifyReply,
  place: UiPlace,
): Promise<boolean> {
  const { folder } = place;
  const name = (decodePath(pathOf(request)) ?? "").slice(1);
  // Names of files that a build makes; what is not one of these leads nowhere on the disk.
  const isFile = /^(assets\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name) && name !== "index.html";
  if (folder !== undefined && isFile && (await answerFile(request, reply, new URL(name, folder))))
    return true;
  if (name.startsWith("assets/")) return false;
  if (!String(request.headers.accept ?? "").includes("text/html")) return false;
  await answerPage(request, reply, place);
  return true;
}

/** A file. What lies in `assets` has its hash in its name, and is kept for good. */
async function answerFile(request: FastifyRequest, reply: FastifyReply, file: URL): Promise<boolean> {
  const contentType = contentTypes[file.pathname.split(".").at(-1) ?? ""];
  const plain = contentType === undefined ? undefined : await statFile(file);
  if (contentType === undefined || plain === undefined) return false;
  reply.headers({
    ...guards,
    "content-type": contentType,
    "cache-control": file.pathname.includes("/assets/") ? year : "no-cache",
    "content-security-policy": workerPolicy,
    vary: "accept-encoding",
  });
  const found = await chooseFile(request, file, plain.size);
  const tag = `W/"${plain.mtimeMs.toString(36)}-${plain.size.toString(36)}"`;
  if (isKnown(request, tag)) {
    await reply.code(304).header("etag", tag).send();
    return true;
  }
  reply.headers({ etag: tag, "content-length": found.bytes });
  if (found.coding !== undefined) reply.header("content-encoding", found.coding);
  await reply.send(request.method === "HEAD" ? "" : createReadStream(found.url));
  return true;
}

async function chooseFile(
  request: FastifyRequest,
  file: URL,
  bytes: number,
): Promise<Readonly<{ url: URL; bytes: number; coding: string | undefined }>> {
  for (const { name, ending } of codings) {
    if (!takes(request, name)) continue;
    const url = new URL(`${file.href}${ending}`);
    const coded = await statFile(url);
    if (coded !== undefined) return { url, bytes: coded.size, coding: name };
  }
  return { url: file, bytes, coding: undefined };
}

/** Whether a browser takes a coding: `br;q=0` says that it does not. */
const takes = (request: FastifyRequest, coding: string): boolean =>
  String(request.headers["accept-encoding"] ?? "")
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .some((one) => one.split(/\s*;/)[0] === coding && !/;\s*q=0(\.0*)?$/.test(one));

async function statFile(file: URL): Promise<Readonly<{ size: number; mtimeMs: number }> | undefined> {
  const found = await stat(file).catch(() => undefined); // None, or none that can be read: there is nothing to show.
  return found?.isFile() === true ? found : undefined;
}

const isKnown = (request: FastifyRequest, tag: string): boolean =>
  String(request.headers["if-none-match"] ?? "")
    .split(/\s*,\s*/)
    .some((one) => one === "*" || one.replace(/^W\//, "") === tag.replace(/^W\//, ""));

/** The page: where it is, is written into it when it is sent, so that one build fits every path. */
async function answerPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { folder, basePath }: UiPlace,
): Promise<void> {
  reply.headers({ ...guards, "content-type": contentTypes["html"], "cache-control": "no-cache" });
  if (folder === undefined) {
    reply.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    await reply.code(503).send(unbuiltPage);
    return;
  }
  const built = await readFile(new URL("index.html", folder), "utf8");
  const page = built.replace(/<base href="[^"]*"\s*\/?>/, `<base href="${basePath}/" />`);
  const tag = `"${createHash("sha256").update(page).digest("base64url").slice(0, 22)}"`;
  reply.headers({ "content-security-policy": pagePolicy, etag: tag });
  if (isKnown(request, tag)) await reply.code(304).send();
  else {
    reply.header("content-length", Buffer.byteLength(page));
    await reply.send(request.method === "HEAD" ? "" : page);
  }
}
