/** The form that adds a condition sends column, comparison and value apart; here they become the API's one parameter. */
import { filterOperators } from "../../../ports/dataset-query.ts";
import type { ApiAnswer } from "../../../serve/api-answer.ts";
import type { DatasetLook } from "./dataset-page.ts";
import { redirect } from "./page-answer.ts";

/** Where the browser goes on to; `undefined`: nothing was added. */
export function answerAddedFilter({ facts, base, query }: DatasetLook): ApiAnswer | undefined {
  const column = query.get("~column");
  if (column === undefined) return undefined;
  const rest = query.without("~column", "~operator", "~value", "cursor");
  const operator = filterOperators.find((each) => each === query.get("~operator")) ?? "eq";
  const isKnown = facts.columns.some(({ name }) => name === column);
  const value = query.get("~value") ?? (operator === "isnull" ? "true" : "");
  if (!isKnown) return redirect(`${base}${rest.print()}`);
  const name = operator === "eq" ? column : `${column}.${operator}`;
  return redirect(`${base}${rest.with(name, value).print()}`);
}
