/**
 * A Postgres server of the tests' own: installed from Debian when it is missing, in a folder of its own, on a free port,
 * ended with the process that started it.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

/** Postgres refuses to run as root: then it runs as nobody. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** Longest time that a server may take to start or to stop, ms; on a busy machine both take seconds. */
const turnMsMax = 60_000;

/** A server that runs. */
export interface PostgresServer {
  /** Makes an empty database and gives its address. */
  newDatabase(): Promise<string>;
  /** Ends it as a shutdown of the machine would, and starts it again after a pause, at the same address. */
  restart(downMs: number): Promise<void>;
  /** Ends it and throws its data away. */
  stop(): Promise<void>;
}

/** Folder of the server's programs (`LEAT_TEST_POSTGRES` names another); installs them where there are none and may be. */
export async function findPostgres(): Promise<string> {
  const named = process.env["LEAT_TEST_POSTGRES"];
  if (named !== undefined) return named;
  const find = (): string | undefined => globSync("/usr/lib/postgresql/*/bin").sort().at(-1);
  const found = find();
  if (found !== undefined && existsSync(join(found, "initdb"))) return found;
  if (!isRoot) throw new Error("Postgres is not installed: run `apt-get install postgresql` as root");
  // The tests make their own cluster: the package need not make one and start it.
  await mkdir("/etc/postgresql-common", { recursive: true });
  await writeFile("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n");
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", ["update"], options);
  await run("apt-get", ["install", "-y", "--no-install-recommends", "postgresql"], options);
  const installed = find();
  if (installed === undefined) throw new Error("Debian's package postgresql brought no /usr/lib/postgresql");
  return installed;
}

/** Starts a server with a new, empty cluster. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = await findPostgres();
  const folder = await mkdtemp(join(tmpdir(), "leat-postgres-"));
  if (isRoot) await chown(folder, nobody, nobody);
  const data = join(folder, "data");
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  await run(
    join(programs, "initdb"),
    ["-D", data, "-U", "leat", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
    { ...identity, cwd: folder },
  );
  const port = await freePort();
  const address = (database: string): string => `postgres://leat@127.0.0.1:${port}/${database}`;
  let server = await startServer(programs, data, port);
  await untilReady(address("postgres"));
  return {
    async newDatabase() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      const client = new pg.Client({ connectionString: address("postgres") });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return address(name);
    },
    async restart(downMs) {
      await stopServer(server);
      await wait(downMs);
      server = await startServer(programs, data, port);
      await untilReady(address("postgres"));
    },
    async stop() {
      await stopServer(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(programs: string, data: string, port: number): Promise<ChildProcess> {
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(programs, "postgres"), "-D", data, ...options];
  // setpriv: the server ends with this process, however this process ends.
  const identity = isRoot ? [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"] : [];
  const server = spawn("setpriv", [...identity, "--pdeathsig", "INT", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: data,
  });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  server.once("exit", (code) => {
    if (code !== 0 && code !== null) console.error(`postgres ended with ${code}:\n${said}`);
  });
  return server;
}

/** A fast shutdown: connections are ended, transactions undone. */
async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit", { signal: AbortSignal.timeout(turnMsMax) });
  server.kill("SIGINT");
  await exit;
}

async function untilReady(address: string): Promise<void> {
  const deadline = Date.now() + turnMsMax;
  for (;;) {
    const client = new pg.Client({ connectionString: address });
    client.on("error", () => {}); // It may be cut off while the server is still recovering.
    try {
      await client.connect();
      await client.query("select 1");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await wait(50);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
