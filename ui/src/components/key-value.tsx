/** Facts about one thing. */
import type { ReactElement, ReactNode } from "react";

export type Fact = readonly [name: string, value: ReactNode];

export function KeyValue({ facts }: Readonly<{ facts: readonly Fact[] }>): ReactElement {
  return (
    <dl className="grid grid-cols-[minmax(96px,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1.5">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
