/** What the project is set up with: connections, and settings as they are. */
import type { FastifyInstance } from "fastify";
import { printErrorJson } from "../../errors/print-error.ts";
import { isOpen } from "../access/access.ts";
import { answers, anyObject, count, flag, listOf, orNull, record, text } from "./answer-schemas.ts";
import { listConnections, tryConnection } from "./connections.ts";
import type { ControlPorts } from "./control-ports.ts";

type Id = { Params: { id: string } };

const connectionAnswer = record({
  id: text,
  kind: { enum: ["landing", "warehouse", "ledger", "source"] },
  name: text,
  address: orNull(text),
  streams: count,
});

const settingsAnswer = record({
  project: text,
  version: text,
  code_version: text,
  node: text,
  keep_days: count,
  tenant_column: text,
  tenants: count,
  landing: text,
  warehouse: text,
  ledger: text,
  base_path: text,
  public_url: orNull(text),
  sign_in: record({ is_open: flag, token: flag, oidc: orNull(text), proxy: flag }),
});

export function addSetupRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const tags = ["setup"];
  app.get(
    "/connections",
    {
      schema: {
        tags,
        summary: "What the project is connected to: landing, warehouse, ledger and sources.",
        response: answers(record({ connections: listOf(connectionAnswer) })),
      },
    },
    async () => ({ connections: listConnections(ports) }),
  );
  app.post<Id & { Body: { tenant?: string } | null }>(
    "/connections/:id/test",
    {
      schema: {
        tags,
        summary: "Try a connection: reads something, and writes nothing.",
        description:
          "A source is asked one request, with the credentials of the tenant, or of the first one.",
        params: {
          type: "object",
          required: ["id"],
          properties: { id: { type: "string", minLength: 1, maxLength: 300 } },
        },
        body: {
          type: ["object", "null"],
          additionalProperties: false,
          properties: { tenant: { type: "string", minLength: 1, maxLength: 500 } },
        },
        response: answers(record({ is_ok: flag, took_ms: count, found: text, problem: orNull(anyObject) })),
      },
    },
    async (request) => {
      const { problem, ...tried } = await tryConnection(ports, request.params.id, request.body?.tenant);
      return { ...tried, problem: problem === null ? null : printErrorJson(problem, ports.redact) };
    },
  );
  app.get(
    "/settings",
    {
      schema: {
        tags,
        summary:
          "What the project and this server are set up with; changed in the project's code and environment.",
        response: answers(settingsAnswer),
      },
    },
    async () => {
      const { project, access, ui, settings, store, ledger } = ports;
      return {
        project: project.name,
        version: ports.version,
        code_version: settings.codeVersion,
        node: process.versions.node,
        keep_days: settings.keepDays,
        tenant_column: project.tenantColumn,
        tenants: ports.readTenants().length,
        landing: store.url,
        warehouse: settings.warehouse,
        ledger: ledger.url,
        base_path: ui.basePath,
        public_url: access.publicUrl?.href ?? null,
        sign_in: {
          is_open: isOpen(access),
          token: access.tokens.length > 0,
          oidc: access.oidc?.issuer ?? null,
          proxy: access.readAssertion !== undefined,
        },
      };
    },
  );
}
