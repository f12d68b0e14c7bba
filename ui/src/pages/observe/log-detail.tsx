/** The line that is pointed at, whole: long messages, stacks, data. */
import { X } from "lucide-react";
import type { ReactElement } from "react";
import type { Line } from "../../api/types.gen.ts";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { printInstant } from "../../format/instant.ts";

export function LogDetail({
  line,
  href,
  onClose,
}: Readonly<{ line: Line; href: string; onClose: () => void }>): ReactElement {
  const data = line.data === undefined ? "" : `\n${JSON.stringify(line.data, null, 2)}`;
  const text = `${line.message}${data}`;
  return (
    <section
      aria-label="Chosen line"
      className="flex max-h-48 shrink-0 flex-col border-t border-line bg-panel"
    >
      <div className="flex flex-wrap items-center gap-3 px-4 pt-1.5">
        <span className="figures text-meta text-muted">
          {printInstant(Date.parse(line.at))} · {line.level} · {line.task ?? "flow"} · attempt {line.attempt}
        </span>
        <span className="flex-1" />
        <CopyButton what="text of the line" name="Text" text={text} />
        <CopyButton what="link to the line" name="Link" text={new URL(href, location.href).href} />
        <Button look="quiet" className="px-1" aria-label="Close the line" onClick={onClose}>
          <X aria-hidden="true" />
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboards */}
      <section tabIndex={0} aria-label="Text of the line" className="min-h-0 flex-1 overflow-auto px-4 pb-2">
        <pre className="font-mono text-log whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</pre>
      </section>
    </section>
  );
}
