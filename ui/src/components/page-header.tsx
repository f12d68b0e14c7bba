/** The head of a page: where it stands, its name, its state and what can be done. */
import { type ReactElement, type ReactNode, useEffect, useRef } from "react";

export type PageHeaderProps = Readonly<{
  title: string;
  /** Links to what is above. */
  above?: ReactNode;
  /** A badge beside the name. */
  state?: ReactNode;
  /** A line below it. */
  about?: ReactNode;
  actions?: ReactNode;
}>;

export function PageHeader({ title, above, state, about, actions }: PageHeaderProps): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · leat`;
  }, [title]);
  return (
    <header className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 pt-4 pb-3">
      {/* A name keeps this much of the line: where what can be done leaves less, that goes below. */}
      <div className="min-w-0 flex-1 basis-60">
        {above !== undefined && (
          <nav aria-label="Above" className="text-meta text-muted">
            {above}
          </nav>
        )}
        <div className="flex flex-wrap items-center gap-3">
          <h1 ref={heading} tabIndex={-1} className="min-w-0 text-page [overflow-wrap:anywhere]">
            {title}
          </h1>
          {state}
        </div>
        {about !== undefined && <p className="text-muted">{about}</p>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
