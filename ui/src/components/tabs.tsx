/** Tabs whose choice is in the URL: links between views of one thing. */
import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactElement, ReactNode } from "react";

export type TabItem = Readonly<{ id: string; name: string; count?: number }>;

export type TabsProps = Readonly<{
  /** Said to those who do not see it. */
  label: string;
  items: readonly TabItem[];
  value: string;
  onChange: (id: string) => void;
  /** What the chosen tab shows. */
  children: ReactNode;
}>;

export function Tabs({ label, items, value, onChange, children }: TabsProps): ReactElement {
  return (
    <Base.Root
      value={value}
      onValueChange={(id) => onChange(String(id))}
      className="flex min-h-0 flex-1 flex-col"
    >
      <Base.List
        aria-label={label}
        className="flex shrink-0 gap-1 overflow-x-auto border-b border-line px-4"
        activateOnFocus={false}
      >
        {items.map(({ id, name, count }) => (
          <Base.Tab
            key={id}
            value={id}
            className="-mb-px h-9 border-b-2 border-transparent px-2 whitespace-nowrap text-muted hover:text-text data-[active]:border-accent data-[active]:font-semibold data-[active]:text-text"
          >
            {name}
            {count !== undefined && <span className="figures ml-1.5 text-meta text-muted">{count}</span>}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel
        key={value}
        value={value}
        className="flex min-h-0 flex-1 flex-col focus-visible:-outline-offset-2"
      >
        {children}
      </Base.Panel>
    </Base.Root>
  );
}
