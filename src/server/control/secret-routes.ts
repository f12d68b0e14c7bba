/** Secrets: their names, what uses them, when they were set. A value goes in, and never out. */
import type { FastifyInstance } from "fastify";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { printInstant } from "../../flow/run-json.ts";
import { actorOf } from "../access/access.ts";
import { answers, flag, instant, listOf, orNull, record, text, texts } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { listSecretUses } from "./list-secret-uses.ts";

/** Changes of secrets that are looked at for the newest of each. */
const changesMax = 1000;

const secretAnswer = record({
  reference: text,
  name: text,
  scheme: { enum: ["env", "file", "gcp-secret"] },
  used_by: texts,
  is_set: {
    ...flag,
    type: ["boolean", "null"],
    description: "null: it is kept elsewhere, and nobody asked.",
  },
  is_writable: flag,
  set_at: { ...orNull(instant), description: "By the console; null: by other means." },
  set_by: orNull(text),
});

export function addSecretRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { secrets, secretWriter, ledger } = ports;
  const tags = ["secrets"];
  app.get(
    "/secrets",
    {
      schema: {
        tags,
        summary: "Secrets that the project refers to or keeps: names, users and times, never values.",
        response: answers(record({ secrets: listOf(secretAnswer), can_write: flag })),
      },
    },
    async () => {
      const uses = await listSecretUses(ports);
      const changes = await ledger.listEvents({
        kinds: ["secret.set"],
        isNewestFirst: true,
        limit: changesMax,
      });
      const kept = (await secretWriter?.names()) ?? [];
      const references = new Set([...uses.keys(), ...kept.map((name) => `env:${name}`)]);
      const told = [...references].sort().map(async (reference) => {
        const scheme = reference.slice(0, reference.indexOf(":"));
        const name = reference.slice(scheme.length + 1);
        const change = changes.find(({ subject }) => subject === reference);
        return {
          reference,
          name,
          scheme,
          used_by: uses.get(reference) ?? [],
          is_set: scheme === "gcp-secret" ? null : await isSet(reference),
          is_writable: scheme === "env" && ((await secretWriter?.keeps(name)) ?? false),
          set_at: printInstant(change?.atMs ?? null),
          set_by: typeof change?.data["by"] === "string" ? change.data["by"] : null,
        };
      });
      return { secrets: await Promise.all(told), can_write: secretWriter !== undefined };
    },
  );
  app.put<{ Params: { name: string }; Body: { value: string } }>(
    "/secrets/:name",
    {
      schema: {
        tags,
        summary: "Set a secret of the project's .env; it is then referred to as env:NAME.",
        description: "The value is in no answer, log or event. Runs that begin from now on have it.",
        params: {
          type: "object",
          required: ["name"],
          properties: { name: { type: "string", minLength: 1, maxLength: 200 } },
        },
        body: {
          type: "object",
          additionalProperties: false,
          required: ["value"],
          properties: { value: { type: "string", minLength: 1, maxLength: 65_536, writeOnly: true } },
        },
        response: answers(record({ reference: text, outcome: { enum: ["created", "replaced"] } })),
      },
    },
    async (request) => {
      const { name } = request.params;
      const reference = `env:${name}`;
      if (secretWriter === undefined) {
        throw new LeatError("SECRET_FIXED", { message: "Secrets of this project are kept elsewhere." });
      }
      const outcome = await secretWriter.write(name, request.body.value);
      await secrets.resolve(reference); // From now on it is taken out of whatever is told.
      await ledger.appendEvent({
        kind: "secret.set",
        subject: reference,
        runId: null,
        data: { by: actorOf(request), outcome },
        dedupKey: null,
      });
      return { reference, outcome };
    },
  );

  async function isSet(reference: string): Promise<boolean> {
    try {
      await secrets.resolve(reference);
      return true;
    } catch (error) {
      if (isLeatError(error)) return false;
      throw error;
    }
  }
}
