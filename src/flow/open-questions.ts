/** What a run asks people, itself and in its sub-flows. */
import type { FlowRun, TaskRun } from "../model/run-record.ts";
import type { Ledger } from "../ports/ledger.ts";

/** A question that nobody has answered yet. */
export type OpenQuestion = Readonly<{
  /** The run or sub-flow that asks. */
  run: FlowRun;
  task: TaskRun;
}>;

/** Sub-flows of one run that are looked at: as many as one page of the ledger lists. */
const childrenMax = 1000;

/** Questions of a run and of all below it, in the order in which they were asked within each. */
export async function listQuestions(ledger: Ledger, run: FlowRun): Promise<readonly OpenQuestion[]> {
  const [tasks, children] = await Promise.all([
    ledger.readTasks(run.id),
    ledger.listRuns({ parentId: run.id, states: ["running", "waiting"], limit: childrenMax }),
  ]);
  const own = tasks
    .filter(({ kind, state }) => kind === "approval" && state === "waiting")
    .map((task) => ({ run, task }));
  const below: OpenQuestion[] = [];
  for (const child of children) below.push(...(await listQuestions(ledger, child)));
  return [...own, ...below];
}
