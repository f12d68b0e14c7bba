/** Ctrl+K: go to a page, a flow, a dataset, a stream, a tenant or a run by a few letters of its name. */
import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { type ReactElement, useMemo, useState } from "react";
import { itemClass } from "../components/menu.tsx";
import { useDebounced } from "../components/use-debounced.ts";
import { type Find, pageFinds, searchQuery } from "./finds.ts";

export default function CommandPalette({ onClose }: Readonly<{ onClose: () => void }>): ReactElement {
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Base.Popup
          aria-label="Search"
          className="card fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-32px)] max-w-160 -translate-x-1/2 p-2 shadow-lg"
        >
          <PaletteBody onClose={onClose} />
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function PaletteBody({ onClose }: Readonly<{ onClose: () => void }>): ReactElement {
  const [text, setText] = useState("");
  const settled = useDebounced(text.trim());
  const found = useQuery(searchQuery(settled));
  const router = useRouter();
  const navigate = useNavigate();
  const items = useMemo(
    () => [...(found.data ?? []), ...pageFinds(text, (path) => path in router.routesByPath)],
    [text, found.data, router],
  );
  const open = (find: Find): void => {
    onClose();
    void navigate({ to: find.to });
  };
  return (
    <Autocomplete.Root
      open
      inline
      items={items}
      filter={null}
      value={text}
      onValueChange={setText}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(find: Find) => find.name}
    >
      <Autocomplete.Input
        aria-label="Search pages, runs, flows, datasets, streams and tenants"
        placeholder="Page, run, flow, dataset, stream, tenant …"
        className="h-9 w-full rounded-control border border-control bg-panel px-3"
      />
      <Autocomplete.Empty className="px-3 py-4 text-muted empty:hidden">
        {found.isFetching ? "Searching …" : "Nothing of this name."}
      </Autocomplete.Empty>
      <Autocomplete.List className="mt-1 max-h-[50vh] overflow-y-auto">
        {(find: Find) => (
          <Autocomplete.Item key={find.to} value={find} onClick={() => open(find)} className={itemClass}>
            <span className="w-24 shrink-0 text-meta text-muted">{find.kind}</span>
            <span className="truncate">{find.name}</span>
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  );
}
