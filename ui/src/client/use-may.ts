/** What whoever has signed in may do. The server refuses the rest; pages say so before somebody tries. */
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "./queries.ts";

const roles = ["viewer", "operator", "admin"] as const;

export type Role = (typeof roles)[number];

/** Whether a role suffices; until it is known, yes: buttons that come and go are worse than a refusal. */
export function useMay(needs: Role): boolean {
  const { data } = useQuery(sessionQuery);
  return data == null || data.role === null || roles.indexOf(data.role) >= roles.indexOf(needs);
}
