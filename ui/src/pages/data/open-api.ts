/** What a description of an API (OpenAPI 3.1) says, as far as it is shown. */

export type Schema = Readonly<{
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  format?: string;
  enum?: readonly unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
}>;

export type Parameter = Readonly<{
  name: string;
  in: "path" | "query" | "header" | "cookie";
  required?: boolean;
  description?: string;
  schema?: Schema;
}>;

type Content = Readonly<Record<string, Readonly<{ schema?: Schema }>>>;

type OperationObject = Readonly<{
  summary?: string;
  description?: string;
  tags?: readonly string[];
  parameters?: readonly Parameter[];
  requestBody?: Readonly<{ content?: Content }>;
  responses?: Readonly<Record<string, Readonly<{ description?: string; content?: Content }>>>;
}>;

export type Document = Readonly<{
  info: Readonly<{ title: string; version: string; description?: string }>;
  paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  components?: Readonly<{ schemas?: Readonly<Record<string, Schema>> }>;
}>;

export type Operation = Readonly<{
  /** `GET /api/runs`, which names it. */
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string | undefined;
  parameters: readonly Parameter[];
  body: Schema | undefined;
  answers: readonly Readonly<{ status: string; description: string; schema: Schema | undefined }>[];
}>;

const methods = ["get", "post", "put", "patch", "delete"] as const;

const firstSchema = (content: Content | undefined): Schema | undefined =>
  Object.values(content ?? {})[0]?.schema;

export function readOperations({ paths }: Document): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      return [
        {
          id: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          path,
          tag: operation.tags?.[0] ?? "other",
          summary: operation.summary ?? path,
          description: operation.description,
          parameters: operation.parameters ?? [],
          body: firstSchema(operation.requestBody?.content),
          answers: Object.entries(operation.responses ?? {}).map(([status, { description, content }]) => ({
            status,
            description: description ?? "",
            schema: firstSchema(content),
          })),
        },
      ];
    }),
  );
}

/** How deep a schema is told; records within records within records say more elsewhere. */
const depthMax = 4;

/** A schema as TypeScript would have it. */
export function printSchema(schema: Schema | undefined, document: Document, depth = 0): string {
  if (schema === undefined) return "unknown";
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return depth === 0 ? printSchema(document.components?.schemas?.[name], document, depth) : name;
  }
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return options.map((one) => printSchema(one, document, depth)).join(" | ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type: string) => printSchema({ ...schema, type }, document, depth)).join(" | ");
  }
  const indent = "  ".repeat(depth);
  switch (schema.type) {
    case "array": {
      const item = printSchema(schema.items, document, depth);
      return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
    }
    case "integer":
    case "number":
      return "number";
    case "object":
    case undefined: {
      const fields = Object.entries(schema.properties ?? {});
      if (fields.length === 0) {
        const { additionalProperties: rest } = schema;
        return schema.type === undefined
          ? "unknown"
          : `Record<string, ${typeof rest === "object" ? printSchema(rest, document, depth + 1) : "unknown"}>`;
      }
      if (depth >= depthMax) return "{ … }";
      const lines = fields.map(([name, field]) => {
        const mark = schema.required?.includes(name) === false ? "?" : "";
        const about = field.description === undefined ? "" : ` // ${field.description}`;
        return `${indent}  ${name}${mark}: ${printSchema(field, document, depth + 1)};${about}`;
      });
      return `{\n${lines.join("\n")}\n${indent}}`;
    }
    default:
      return String(schema.type);
  }
}
