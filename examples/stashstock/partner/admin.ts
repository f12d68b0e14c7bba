/** `/_partner/…`: turns the partner's knobs over HTTP, for a partner that runs in a process of its own. */
import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { FaultRule } from "./faults.ts";
import type { Partner } from "./partner.ts";
import { renderPlant } from "./plant.ts";
import type { ChangeRequest } from "./plant-book.ts";
import { type PlantsAnswer, refuse } from "./plants-api.ts";

/**
 * Answers an administrator. `GET counts`, `GET truth?tenant=…`; `POST change`, `POST faults`, `POST clock` with a body
 * as the partner's own methods take it; `DELETE faults` forgets all faults.
 */
export async function answerAdmin(
  partner: Partner,
  request: IncomingMessage,
  path: string,
  params: URLSearchParams,
): Promise<PlantsAnswer> {
  switch (`${request.method} ${path.slice("/_partner/".length)}`) {
    case "GET counts":
      return ok(JSON.stringify(partner.counts.list()));
    case "GET truth": {
      const plants = [...partner.truth(params.get("tenant") ?? "").values()];
      return ok(`[${plants.map(({ fields }) => renderPlant(fields, "camelCase")).join(",")}]`);
    }
    // The bodies below are trusted: whoever reaches this server also owns it.
    case "POST change":
      return ok(JSON.stringify(partner.change((await json(request)) as ChangeRequest)));
    case "POST faults":
      partner.faults.inject((await json(request)) as FaultRule);
      return ok("{}");
    case "DELETE faults":
      partner.faults.clear();
      return ok("{}");
    case "POST clock":
      partner.advance(((await json(request)) as { advanceMs: number }).advanceMs);
      return ok(JSON.stringify({ nowMs: partner.nowMs() }));
    default:
      return refuse(404, `Nothing at ${request.method} ${path}.`);
  }
}

const ok = (body: string): PlantsAnswer => ({ status: 200, body, plantCount: 0 });
