/** What was asked is kept for a while, and asked again when somebody looks at it again. */
import { QueryClient } from "@tanstack/react-query";
import { toProblem } from "../client/problem.ts";

/** How long an answer counts as new, ms: going back and forth between pages asks nothing. */
const newMs = 5000;

const retriesMax = 2;

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: newMs,
      // What the server has refused, it refuses again; only silence and its own failures pass.
      retry: (count, error) => {
        const { status } = toProblem(error);
        return count < retriesMax && (status === 0 || status >= 500) && status !== 501;
      },
    },
  },
});
