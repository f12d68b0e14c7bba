/** What was asked is kept for a while, and asked again when somebody looks at it again. */
import { QueryClient } from "@tanstack/react-query";
import { isUnreachable, toProblem } from "../client/problem.ts";

/** How long an answer counts as new, ms: going back and forth between pages asks nothing. */
const newMs = 5000;

const retriesMax = 2;

/** Pause before a server that could not be reached is asked again, ms: one that restarts is there in some seconds. */
const awayMs = 5000;

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: newMs,
      refetchInterval: ({ state }) => (isUnreachable(state.error) ? awayMs : false),
      // What the server has refused, it refuses again, a query that takes too long too; silence and its failures pass.
      retry: (count, error) => {
        const { status, code } = toProblem(error);
        const isPassing = (status === 0 || status >= 500) && status !== 501 && code !== "query-too-large";
        return count < retriesMax && isPassing;
      },
    },
  },
});
