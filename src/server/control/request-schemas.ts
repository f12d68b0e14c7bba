/** Schemas that several routes of the control API share, as JSON Schema. */

export const idParams = {
  type: "object",
  properties: { id: { type: "string", minLength: 1, maxLength: 200 } },
  required: ["id"],
} as const;

/** A stream and a tenant, whose ids are people's. */
export const tenantParams = {
  type: "object",
  properties: {
    id: { type: "string", minLength: 1, maxLength: 200 },
    tenant: { type: "string", minLength: 1, maxLength: 500 },
  },
  required: ["id", "tenant"],
} as const;

/** Rows that one request lists at most. */
export const listedMax = 1000;

export const limitField = { type: "integer", minimum: 1, maximum: 1000, default: 50 } as const;

export const afterField = {
  type: "integer",
  minimum: 0,
  default: 0,
  description: "Go on after this id.",
} as const;

export const paramsBody = {
  type: "object",
  additionalProperties: false,
  properties: {
    params: { type: "object", additionalProperties: true, description: "Over those of the deployment." },
    start_at: { type: "string", format: "date-time", description: "Not before this." },
    priority: { type: "integer", minimum: -1000, maximum: 1000 },
  },
} as const;
