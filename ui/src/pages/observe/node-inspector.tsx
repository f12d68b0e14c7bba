/** What is known of the chosen node: its tasks, their errors, what they read and made, and the way on. */
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type ReactElement, useEffect, useRef, useState } from "react";
import type { Run, Task } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Duration } from "../../components/time-text.tsx";
import { tellDone } from "../../components/toast.tsx";
import { plural } from "../../format/duration.ts";
import { type GraphNode, printStates, stateOf } from "./task-graph.tsx";
import { ThingLinks } from "./thing-links.tsx";
import { isEnded } from "./use-run.ts";

/** Tasks of a node that are named here; the others are in the list of tasks. */
const namedMax = 5;

export type NodeInspectorProps = Readonly<{
  run: Run;
  node: GraphNode;
  tasks: readonly Task[];
  /** Somebody chose it: the focus comes here, so that Escape takes it back. */
  isOpenedByHand: boolean;
  onClose: () => void;
  /** Narrows the log to a task. */
  onTask: (key: string) => void;
}>;

export function NodeInspector(props: NodeInspectorProps): ReactElement {
  const { run, node, tasks, isOpenedByHand, onClose, onTask } = props;
  const client = useQueryClient();
  const panel = useRef<HTMLElement>(null);
  const [again, setAgain] = useState<string>();
  useEffect(() => {
    if (isOpenedByHand) panel.current?.focus();
  }, [isOpenedByHand]);
  // Those that failed first: they are why somebody looks.
  const order = [...tasks].sort((one, other) => Number(other.error !== null) - Number(one.error !== null));
  const unique = (lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())];
  const produces = unique(tasks.map((task) => task.produces));
  const consumes = unique(tasks.map((task) => task.consumes));
  return (
    <section
      ref={panel}
      tabIndex={-1}
      aria-label={`Task ${node.name}`}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
      className="wide:w-72 wide:border-t-0 wide:border-l wide:max-h-none max-h-64 shrink-0 overflow-y-auto border-t border-line p-3 focus-visible:-outline-offset-2"
    >
      <div className="mb-2 flex items-start gap-2">
        <h2 className="min-w-0 flex-1 font-semibold [overflow-wrap:anywhere]">{node.name}</h2>
        <Button look="quiet" className="px-1" aria-label="Close the task" onClick={onClose}>
          <X aria-hidden="true" />
        </Button>
      </div>
      <KeyValue
        facts={[
          ["State", node.count === 1 ? <StateBadge key="state" state={stateOf(node)} /> : printStates(node)],
          ["Took", <Duration key="took" from={node.started_at} to={node.ended_at} />],
          ...(consumes.length > 0 ? [["Reads", <ThingLinks key="reads" things={consumes} />] as const] : []),
          ...(produces.length > 0 ? [["Makes", <ThingLinks key="makes" things={produces} />] as const] : []),
        ]}
      />
      <ul className="mt-2 flex flex-col gap-2">
        {order.slice(0, namedMax).map((task) => (
          <li key={task.key} className="border-t border-line pt-2">
            <div className="flex flex-wrap items-center gap-x-2">
              <StateBadge state={task.state} />
              <span className="min-w-0 font-mono text-meta [overflow-wrap:anywhere]">{task.key}</span>
              {task.tries > 1 && <span className="text-meta text-muted">{task.tries} tries</span>}
              {task.is_cached && <span className="text-meta text-muted">from the cache</span>}
            </div>
            {task.error !== null && (
              <p className="mt-1 [overflow-wrap:anywhere]">
                <span className="text-failed">✕ {task.error.message}</span>
                {task.error.hint !== null && <span className="block text-muted">{task.error.hint}</span>}
              </p>
            )}
            <div className="mt-1 flex flex-wrap gap-2">
              <Button onClick={() => onTask(task.key)}>Its lines</Button>
              {isEnded(run) && task.kind === "task" && (
                <Button onClick={() => setAgain(task.key)}>Again from here …</Button>
              )}
            </div>
          </li>
        ))}
      </ul>
      {node.count > namedMax && (
        <p className="mt-2">
          <Link to="/runs/$id" params={{ id: run.id }} search={{ tab: "tasks", node: node.name }}>
            All {plural(node.count, "task")}
          </Link>
        </p>
      )}
      {again !== undefined && (
        <ConfirmDialog
          isOpen
          onClose={() => setAgain(undefined)}
          title="Do this task and all after it again?"
          deed="Retry from here"
          onConfirm={async () => {
            await request(`runs/${encodeURIComponent(run.id)}/retry`, {
              method: "POST",
              body: { from_task: again },
            });
            tellDone("The run is queued again");
            await client.invalidateQueries({ queryKey: ["run", run.id] });
          }}
        >
          <p className="font-mono [overflow-wrap:anywhere]">{again}</p>
          <p className="mt-2 text-muted">What was finished before it is kept.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}
