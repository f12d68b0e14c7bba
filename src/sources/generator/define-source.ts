/** Makes a source of pages that code of the project yields. */
import { z } from "zod";
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { Source } from "../../ports/source.ts";
import { checkCursor } from "../stream-declaration/check-cursor.ts";
import {
  checkBetweenStreams,
  checkName,
  selectorSchema,
  streamMembers,
  toStreamSpec,
} from "../stream-declaration/check-stream.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { checkMembers, type FaultPath, Faults } from "../stream-declaration/faults.ts";
import { sourceTenantsSchema } from "../stream-declaration/source-tenants.ts";
import { GeneratorReader } from "./generator-reader.ts";
import type { GeneratorStreamDeclaration, SourceDeclaration } from "./source-declaration.ts";

type GeneratorStream = Readonly<{
  spec: StreamSpec;
  selector: RecordSelector;
  pages: GeneratorStreamDeclaration["pages"];
}>;

const sourceMembers = {
  name: z.string({ error: () => "name the source" }),
  tenants: sourceTenantsSchema,
  clockToleranceMs: z.number().min(0).optional(),
  streams: z.record(z.string(), z.unknown(), { error: () => "name at least one stream" }),
} as const satisfies Record<keyof SourceDeclaration, z.ZodType>;

const members = {
  ...streamMembers,
  pages: z.custom<GeneratorStreamDeclaration["pages"]>((input) => typeof input === "function", {
    error: () => "write an async function* that yields pages",
  }),
  records: selectorSchema.default({ form: "json", steps: ["each"], isSingle: false }),
  cursor: z.unknown(),
  isSorted: z.boolean().default(false),
} as const satisfies Record<keyof GeneratorStreamDeclaration, z.ZodType>;

/**
 * Makes a source of pages that your own code yields.
 *
 * @param declaration - see {@link SourceDeclaration}; checked at once.
 * @returns a frozen source with complete streams. Pages are `trusted` unless the stream says otherwise.
 * @throws LeatError `CONFIG_INVALID` with every fault of the declaration, each with its path.
 */
export function defineSource(declaration: SourceDeclaration): Source {
  const faults = new Faults();
  const {
    name = "",
    tenants,
    clockToleranceMs,
    streams: declared = {},
  } = checkMembers(faults, [], declaration, sourceMembers);
  if (name !== "") checkName(faults, ["name"], name);
  const streams = Object.entries(declared).map(([stream, input]) => {
    const path = ["streams", stream];
    checkName(faults, path, stream);
    return checkStream(faults, path, input, { source: name, name: stream, clockToleranceMs });
  });
  checkBetweenStreams(
    faults,
    streams.map((stream) => stream.spec),
    Object.keys(declared),
  );
  faults.throwIfAny(`The source ${JSON.stringify(name)}`);
  return deepFreeze<Source>({
    name,
    streams: streams.map((stream) => stream.spec),
    tenants,
    open: async (streamName, tenant, world) => {
      const stream = streams.find((each) => each.spec.name === streamName);
      if (stream !== undefined) return new GeneratorReader({ ...stream, tenant, secrets: world.secrets });
      const known = streams.map((each) => each.spec.name);
      throw new LeatError("STREAM_UNKNOWN", {
        message: `Source "${name}" has no stream "${streamName}".`,
        hint: hintOfKnown(streamName, "streams", known),
        details: { source: name, stream: streamName, known },
      });
    },
  });
}

function checkStream(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  setting: Readonly<{ source: string; name: string; clockToleranceMs: number | undefined }>,
): GeneratorStream {
  const checked = checkMembers(faults, path, input, members);
  const cursor =
    checked.cursor === undefined
      ? undefined
      : checkCursor(faults, [...path, "cursor"], checked.cursor, false);
  const isSorted = checked.isSorted ?? false;
  if (isSorted && cursor === undefined) faults.add([...path, "isSorted"], "needs a cursor to be sorted by");
  const stability = checked.stability ?? "trusted";
  if (stability === "overlap" || stability === "settled") {
    faults.add([...path, "stability"], `"${stability}" is for declared paging; use trusted or passes`);
  }
  const spec = toStreamSpec(faults, path, checked, { ...setting, cursor, isSorted, stability });
  return {
    spec,
    selector: checked.records ?? { form: "json", steps: ["each"], isSingle: false },
    pages: checked.pages ?? noPages,
  };
}

/** Stands in for a generator that is missing, which is a fault: it is never called. */
async function* noPages(): AsyncGenerator<never> {}
