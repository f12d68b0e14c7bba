/** Secrets that people set by the console: kept in the project's `.env`, the one place of secrets that leat may write. */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { LeatError } from "../errors/leat-error.ts";
import { type Environment, isMissing } from "./environment.ts";

/** Longest value, characters: a service account's key has some 2,400. */
const valueLengthMax = 64 * 1024;

/** Who may read the file: its owner. */
const fileMode = 0o600;

/** Where values of secrets can be put. They are never given back. */
export interface SecretWriter {
  /** Whether `env:NAME` is kept here: not where the environment itself sets it. */
  keeps(name: string): Promise<boolean>;
  /** Names that the file holds. */
  names(): Promise<readonly string[]>;
  /**
   * Sets a value, in the file and for this process and those that it starts.
   *
   * @throws LeatError `USAGE` for what cannot be a name or value; `SECRET_FIXED` where the environment sets it.
   */
  write(name: string, value: string): Promise<"created" | "replaced">;
}

/** Opens the file's secrets; the file need not be there. */
export function openDotenvSecrets(environment: Environment, path: string): SecretWriter {
  const read = async (): Promise<string> => {
    try {
      return await readFile(path, "utf8");
    } catch (cause) {
      if (isMissing(cause)) return "";
      throw new LeatError("CONFIG_INVALID", { message: `The file ${path} cannot be read.`, cause });
    }
  };
  /** One change at a time: each reads the file, and writes it anew. */
  let turn: Promise<unknown> = Promise.resolve();
  const isOfFile = (name: string, text: string): boolean => {
    const kept = parseEnv(text)[name];
    return environment[name] === undefined || environment[name] === "" || environment[name] === kept;
  };
  return {
    keeps: async (name) => isName(name) && isOfFile(name, await read()),
    names: async () => Object.keys(parseEnv(await read())),
    write(name, value) {
      const change = async (): Promise<"created" | "replaced"> => {
        refuseOdd(name, value);
        const text = await read();
        if (!isOfFile(name, text)) {
          throw new LeatError("SECRET_FIXED", {
            message: `The secret env:${name} is set by the environment of this process, which goes before ${path}.`,
            details: { reference: `env:${name}` },
          });
        }
        const isThere = Object.hasOwn(parseEnv(text), name);
        await replace(path, withLine(text, name, printValue(name, value)));
        environment[name] = value;
        return isThere ? "replaced" : "created";
      };
      const done = turn.then(change);
      turn = done.catch(() => {}); // Told to whoever asked for it.
      return done;
    },
  };
}

const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,199}$/.test(name);

function refuseOdd(name: string, value: string): void {
  if (!isName(name)) {
    throw new LeatError("USAGE", {
      message: `"${name.slice(0, 200)}" cannot be the name of a secret.`,
      hint: "Use letters, digits and _, such as SHOP_KEY; it is then referred to as env:SHOP_KEY.",
    });
  }
  // It would decide what code runs, or where things are, instead of being kept.
  if (/^(NODE_|LD_|DYLD_|PATH$|HOME$|LEAT_)/i.test(name)) {
    throw new LeatError("USAGE", {
      message: `${name} is a setting of the system or of leat, and no secret of the project.`,
      hint: "Give the secret another name.",
    });
  }
  if (value === "" || value.length > valueLengthMax || value.includes("\0"))
    throw new LeatError("USAGE", {
      message: `The value must have 1 to ${valueLengthMax} characters; nothing was changed.`,
    });
}

/** The value as the file's reader reads it back: the form that does, of those that it knows. */
function printValue(name: string, value: string): string {
  const forms = [value, `'${value}'`, `"${value}"`, `\`${value}\``];
  const found = forms.find((form) => {
    const isSafe = form !== value || /^[\w.+/=@:-]+$/.test(value);
    return isSafe && parseEnv(`${name}=${form}\nNEXT=1\n`)[name] === value;
  });
  if (found !== undefined) return found;
  throw new LeatError("USAGE", {
    message: "The value cannot be written into .env: it holds every kind of quotes.",
    hint: "Put it into a file, and refer to it as file:PATH.",
  });
}

/** The text with the name set: the last line that sets it counts, so that all are taken out. */
function withLine(text: string, name: string, printed: string): string {
  const kept: string[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (!new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(line)) {
      kept.push(line);
      continue;
    }
    // A value in quotes may go over several lines.
    const quote = /=\s*(["'`])/.exec(line)?.[1];
    let rest = quote === undefined ? "" : line.slice(line.indexOf(quote) + 1);
    while (quote !== undefined && !rest.includes(quote) && at + 1 < lines.length) rest = lines[++at]!;
  }
  while (kept.at(-1) === "") kept.pop();
  return [...kept, `${name}=${printed}`, ""].join("\n");
}

/** All or nothing: whoever reads meanwhile reads the old file or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(aside, text, { mode: fileMode, flag: "wx" });
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true });
    throw new LeatError("SECRET_FIXED", { message: `The file ${path} cannot be written.`, cause });
  }
}
