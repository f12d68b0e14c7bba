/** Webhooks: requests of others that trigger runs, each with the secret of its trigger. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { FlowRegistry } from "../../flow/deployment.ts";
import type { JsonValue } from "../../model/json-value.ts";
import { bearerOf, isSameSecret } from "../access/access.ts";
import { answers, count, flag, record } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams } from "./request-schemas.ts";

/** Longest key of a delivery, in characters. */
const keyLengthMax = 200;

export function addHookRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger, registry, secrets } = ports;
  app.post<{ Params: { id: string }; Body: JsonValue }>(
    "/hooks/:id",
    {
      schema: {
        tags: ["hooks"],
        summary: "Trigger the deployments that wait for this webhook.",
        description:
          "Brings the trigger's secret as `Authorization: Bearer ...` or `X-Leat-Secret`. The JSON of the body is `event.data.body`. With an Idempotency-Key header, a second delivery of the same key triggers nothing.",
        params: idParams,
        security: [],
        response: answers(record({ event: count, is_new: flag }), 202),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const header = request.headers["x-leat-secret"];
      const brought = bearerOf(request) ?? (typeof header === "string" ? header : undefined);
      const references = secretsOf(registry, id);
      let isRight = false;
      for (const reference of references) {
        const secret = await secrets.resolve(reference);
        isRight ||= brought !== undefined && isSameSecret(brought, secret);
      }
      // The same answer for a name that nobody waits for: it tells nothing of what there is.
      if (!isRight) {
        throw new LeatError("WEBHOOK_REFUSED", { message: `The webhook "${id}" was refused.` });
      }
      const key = request.headers["idempotency-key"];
      const event = await ledger.appendEvent({
        kind: "webhook",
        subject: id,
        runId: null,
        data: { body: request.body ?? null },
        dedupKey: typeof key === "string" ? `webhook:${id}:${key.slice(0, keyLengthMax)}` : null,
      });
      return reply.code(202).send({ event: event.id, is_new: event.isNew });
    },
  );
}

/** References of the secrets that open a webhook. */
function secretsOf(registry: FlowRegistry, webhook: string): readonly string[] {
  const references = registry.deployments.flatMap(({ triggers }) =>
    triggers.flatMap((trigger) => {
      const match = trigger.on === "absence" ? trigger.of : trigger;
      return match.on === "webhook" && match.webhook === webhook ? [match.secret] : [];
    }),
  );
  return [...new Set(references)];
}
