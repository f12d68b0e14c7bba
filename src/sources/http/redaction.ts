/** Keeps credentials out of everything that people read: messages, `at` of a page, error details. */

export const redacted = "***";

/** Parameters of next links that hold credentials although the source did not declare them. */
const secretName =
  /^(?:access[_-]?token|api[_-]?key|client[_-]?secret|password|secret|sig(?:nature)?|x-amz-.*)$/i;
/** Shorter secrets would blank out ordinary text; they are kept out by the parameter's name. */
const secretCharsMin = 4;

/**
 * An address without credentials.
 *
 * @param secretParams - query parameters whose value is never shown.
 * @param secrets - texts that are never shown, wherever they stand, also percent-encoded.
 */
export function redactAddress(
  address: string,
  secretParams: ReadonlySet<string>,
  secrets: Iterable<string>,
): string {
  const [, before = address, query] = /^([^?]*)\?(.*)$/s.exec(address) ?? [];
  if (query === undefined) return redactText(address, secrets);
  const pairs = query.split("&").map((pair) => {
    const [name = ""] = pair.split("=", 1);
    const isSecret = secretParams.has(decode(name)) || secretName.test(decode(name));
    return isSecret ? `${name}=${redacted}` : pair;
  });
  return redactText(`${before.replace(/\/\/[^/@]*@/, "//")}?${pairs.join("&")}`, secrets);
}

/** Text without any of the secrets, plain, percent-encoded or as JSON writes them. */
export function redactText(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < secretCharsMin) continue;
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      clean = clean.replaceAll(form, redacted);
    }
  }
  return clean;
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
