/** Search parameters as people write them: `state=failed&state=queued`, and not as quoted JSON. */

export type SearchValues = Readonly<Record<string, unknown>>;

/** A name that comes twice is a list. */
export function parseSearch(text: string): Record<string, string | string[]> {
  const read: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = read[name];
    read[name] = before === undefined ? value : [before, value].flat();
  }
  return read;
}

/** What is empty is left out, so that one view has one address. */
export function printSearch(values: SearchValues): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "" && one !== false) written.append(name, String(one));
    }
  }
  const text = written.toString();
  return text === "" ? "" : `?${text}`;
}
