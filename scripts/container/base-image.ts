/** The base that Dockerfiles name: as it is here, pulled, or made of this machine's packages. */
import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { giveUp, run } from "./podman.ts";

const baseImage = "docker.io/library/node:24-bookworm-slim";
const standInImage = "localhost/leat-check-base:24";

/**
 * Finds, pulls or makes the base.
 *
 * @param folder - an empty folder for what a stand-in is made of.
 * @returns its name.
 */
export function prepareBase(folder: string): string {
  if (run("podman", ["image", "exists", baseImage]).status === 0) return baseImage;
  if (run("podman", ["pull", "--quiet", baseImage]).status === 0) return baseImage;
  return prepareStandIn(folder);
}

/** Debian, this machine's Node and npm. Made once, and kept. */
export function prepareStandIn(folder: string): string {
  if (run("podman", ["image", "exists", standInImage]).status === 0) return standInImage;
  console.log(`${baseImage} cannot be pulled; a stand-in is made of this machine's packages, once.`);
  const place = join(folder, "base");
  const made = run("debootstrap", ["--variant=minbase", "--include=ca-certificates", "bookworm", place]);
  if (made.status !== 0) giveUp(`debootstrap failed: ${made.stdout.slice(-2000)}${made.stderr}`);
  mkdirSync(join(place, "usr/local/bin"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(place, "usr/local/bin/node"));
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
  const packed = run("sh", ["-c", `tar -C '${place}' -c . | podman import ${change} - ${standInImage}`]);
  if (packed.status !== 0) giveUp(`the stand-in cannot be imported: ${packed.stderr}`);
  return standInImage;
}
