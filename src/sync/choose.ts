/** Which streams a person meant. For which tenants, `choose-pairs.ts` says. */
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { Project } from "../ports/project.ts";
import type { Source } from "../ports/source.ts";
import type { ChosenStream } from "./sync-job.ts";

/** Every stream of a project, parents before their children. */
export const allStreams = (project: Project): readonly ChosenStream[] =>
  project.sources.flatMap((source) => parentsFirst(source));

/** A source's streams in the order in which they can be read; `defineProject` has refused circles. */
function parentsFirst(source: Source): ChosenStream[] {
  const ordered = new Map<string, ChosenStream>();
  const visiting = new Set<string>();
  const visit = (name: string): void => {
    const spec = source.streams.find((stream) => stream.name === name);
    if (spec === undefined || ordered.has(name) || visiting.has(name)) return;
    visiting.add(name);
    if (spec.partitions?.from === "stream") visit(spec.partitions.stream);
    ordered.set(name, { source, spec });
  };
  for (const stream of source.streams) visit(stream.name);
  return [...ordered.values()];
}

/** `source.stream`, as people name a stream. */
export const streamName = (stream: ChosenStream): string => `${stream.source.name}.${stream.spec.name}`;

/**
 * Finds streams by name: `source`, `source.stream`, or a stream's own name where only one source has it.
 *
 * Names may hold dots, so whole names are compared and nothing is split.
 *
 * @param names - none: all streams.
 * @throws LeatError `STREAM_UNKNOWN` with the near name and the known ones.
 */
export function chooseStreams(project: Project, names: readonly string[]): readonly ChosenStream[] {
  const all = allStreams(project);
  if (names.length === 0) return all;
  const chosen = new Set<ChosenStream>();
  for (const name of names) {
    const found = findStreams(all, name);
    for (const stream of found) chosen.add(stream);
  }
  return all.filter((stream) => chosen.has(stream));
}

function findStreams(all: readonly ChosenStream[], name: string): readonly ChosenStream[] {
  const ofSource = all.filter((stream) => stream.source.name === name);
  if (ofSource.length > 0) return ofSource;
  const exact = all.filter((stream) => streamName(stream) === name);
  if (exact.length > 0) return exact;
  const bare = all.filter((stream) => stream.spec.name === name);
  if (bare.length === 1) return bare;
  if (bare.length > 1) {
    throw new LeatError("STREAM_UNKNOWN", {
      message: `More than one source has a stream "${name}".`,
      hint: `Say which: ${bare.map(streamName).join(", ")}.`,
      details: { known: bare.map(streamName) },
    });
  }
  const known = all.map(streamName);
  const bares = [...new Set(all.map((stream) => stream.spec.name))];
  throw new LeatError("STREAM_UNKNOWN", {
    message: `There is no source or stream "${name}".`,
    hint: hintOfKnown(name, "streams", name.includes(".") ? known : [...known, ...bares]),
    details: { known },
  });
}

/** Finds exactly one stream. @throws LeatError `STREAM_UNKNOWN`, also when a source of several streams is named. */
export function chooseStream(project: Project, name: string): ChosenStream {
  const [stream, second] = chooseStreams(project, [name]);
  if (stream !== undefined && second === undefined) return stream;
  const known = allStreams(project)
    .filter((other) => other.source.name === name)
    .map(streamName);
  throw new LeatError("STREAM_UNKNOWN", {
    message: `"${name}" is a source of several streams; one is wanted.`,
    hint: `Say which: ${known.join(", ")}.`,
    details: { known },
  });
}
