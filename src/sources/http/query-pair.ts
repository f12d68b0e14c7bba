/** Pairs of a query or form. */

/** `name=value`, with blanks as `%20`, which forms and queries both understand. */
export function encodePair(name: string, value: string): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}
