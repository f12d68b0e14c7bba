/**
 * Takes a rule out of the real code while its modules are loaded, so that the simulator must find what the rule is for.
 *
 * The code under test knows nothing of this: a rule is a piece of a file's text, which must be there exactly once, and
 * what stands in its place. When the text is not found the run fails, so that a rule that was rewritten is noticed.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

type Removal = Readonly<{ rule: string; file: string; text: string; instead: string }>;

const removals: Readonly<Record<string, Removal>> = {};

/** The rules that can be taken out. */
export const removableRules: readonly string[] = Object.keys(removals);

/** Takes a rule out of modules that are loaded from now on. */
export function takeOut(name: string): void {
  const removal = removals[name];
  if (removal === undefined)
    throw new Error(`there is no rule "${name}"; there are ${removableRules.join(", ")}`);
  const url = new URL(`../../${removal.file}`, import.meta.url);
  const count = readFileSync(url, "utf8").split(removal.text).length - 1;
  if (count !== 1) throw new Error(`${removal.file} has the text of rule ${name} ${count} times, not once`);
  registerHooks({
    load(target, context, nextLoad) {
      const loaded = nextLoad(target, context);
      if (target !== url.href) return loaded;
      const source = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
      return { ...loaded, source: source.replace(removal.text, () => removal.instead) };
    },
  });
}
