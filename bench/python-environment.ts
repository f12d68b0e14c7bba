/** Peers in Python: a virtual environment of the benchmark's own, kept between runs in the system's temporary folder. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Installs packages, pinned so that the figures say of what they are.
 *
 * @param packages - with their versions: `pandas==3.1.1`.
 * @returns the interpreter, or why there is none.
 */
export function installPython(
  name: string,
  packages: readonly string[],
): { path: string; reason?: undefined } | { path: undefined; reason: string } {
  const versions = packages.map((one) => one.replace(/.*==/, "")).join("-");
  const folder = join(tmpdir(), `leat-bench-${name}-${versions}`);
  const path = join(folder, "bin", "python");
  if (existsSync(join(folder, "complete"))) return { path };
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", folder]],
    [path, ["-m", "pip", "install", "--quiet", ...packages]],
    ["touch", [join(folder, "complete")]],
  ];
  for (const [command, args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0)
      return {
        path: undefined,
        reason: `\`${command} ${args.join(" ")}\`: ${error?.message ?? stderr.trim()}`,
      };
  }
  return { path };
}
