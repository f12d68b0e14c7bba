/** What tasks read and make, as links: a source, a stream of a tenant, a table, a dataset. */
import { Link, useRouter } from "@tanstack/react-router";
import type { ReactElement } from "react";

/** Where something that a task names is shown; `undefined`: nowhere. */
export function pathOfThing(thing: string): string | undefined {
  const [kind, ...rest] = thing.split(":");
  const name = rest.join(":");
  if (kind === "dataset" && name !== "") return `/datasets/${encodeURIComponent(name.split("@")[0] ?? name)}`;
  if (kind === "source" && name !== "") return `/sources/${encodeURIComponent(name)}`;
  // Tables of streams; others are none of the console's.
  if (kind === "table" && /^[^.]+\.[^.]+$/.test(name)) return `/tables/${encodeURIComponent(name)}`;
  const stream = /^stream:([^.:]+)\.([^:]+?)(?::(.+))?$/.exec(thing);
  if (stream === null) return undefined;
  const [, source = "", own = "", tenant] = stream;
  return tenant === undefined
    ? `/sources/${encodeURIComponent(source)}`
    : `/sources/${[source, tenant, own].map(encodeURIComponent).join("/")}`;
}

/** Things named at once; of more the number is told. */
const namedMax = 10;

export function ThingLinks({ things }: Readonly<{ things: readonly string[] }>): ReactElement {
  const router = useRouter();
  return (
    <ul>
      {things.slice(0, namedMax).map((thing) => {
        const path = pathOfThing(thing);
        const isShown = path !== undefined && router.getMatchedRoutes(path)[2] !== undefined;
        return (
          <li key={thing} className="[overflow-wrap:anywhere]">
            {isShown ? <Link to={path}>{thing}</Link> : thing}
          </li>
        );
      })}
      {things.length > namedMax && <li className="text-muted">and {things.length - namedMax} more</li>}
    </ul>
  );
}
