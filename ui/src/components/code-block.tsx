/** Code, and JSON, as it is: scrolled with the keyboard too, and copied. */
import type { ReactElement } from "react";
import { CopyButton } from "./copy-button.tsx";

export function CodeBlock({ code, what }: Readonly<{ code: string; what: string }>): ReactElement {
  return (
    <div className="card relative bg-sunk">
      <div className="absolute top-1 right-1 rounded-md bg-sunk">
        <CopyButton text={code} what={what} />
      </div>
      {/* What scrolls ends before the button: nothing lies below it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboards */}
      <section tabIndex={0} aria-label={what} className="mr-9 max-h-96 overflow-auto">
        <pre className="p-3 font-mono text-log">{code}</pre>
      </section>
    </div>
  );
}

/** Characters of JSON that are shown; the rest is copied alone. */
const shownMax = 100_000;

export function JsonView({ value, what }: Readonly<{ value: unknown; what: string }>): ReactElement {
  const text = JSON.stringify(value, null, 2) ?? "undefined";
  const code = text.length > shownMax ? `${text.slice(0, shownMax)}\n… ${text.length - shownMax} more` : text;
  return <CodeBlock code={code} what={what} />;
}
