/** The links of a web page. */
import { Parser } from "htmlparser2";

/** A link as it stands on a page. */
export type PageLink = Readonly<{
  /** Absolute, without its fragment. */
  address: URL;
  /** What it says, blanks folded; its label where it shows only a picture; `""`: nothing. */
  text: string;
}>;

/** Longest text of a link that is kept, in characters. */
const textCharsMax = 1000;

/** Where a page says in which encoding it is, if its headers do not; browsers look as far. */
const metaBytes = 1024;

/**
 * Finds the links of a page, in its order: `a` and `area`, relative to the page's own address or its `base`, and `link`
 * elements that lead to a next page.
 *
 * @param address - where the page came from in the end.
 * @param contentType - the header, for the encoding.
 */
export function findLinks(bytes: Uint8Array, address: string, contentType: string | undefined): PageLink[] {
  const links: OpenLink[] = [];
  let base = address;
  let hasBase = false;
  let open: OpenLink | undefined;
  const note = (href: string | undefined, label = ""): OpenLink | undefined => {
    const target = resolveLink(href, base);
    if (target === undefined) return undefined;
    const link = { address: target, text: "", label };
    links.push(link);
    return link;
  };
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (name === "base" && !hasBase && attributes["href"] !== undefined) {
          hasBase = true; // Only the first counts.
          base = resolveLink(attributes["href"], address)?.href ?? address;
        } else if (name === "a") {
          open = note(attributes["href"], attributes["aria-label"] ?? attributes["title"]);
        } else if (name === "area") {
          note(attributes["href"], attributes["alt"]);
        } else if (name === "link" && /(?:^|\s)next(?:\s|$)/i.test(attributes["rel"] ?? "")) {
          note(attributes["href"], attributes["title"]);
        } else if (name === "img" && open !== undefined) {
          addText(open, ` ${attributes["alt"] ?? ""} `);
        }
      },
      ontext: (text) => {
        if (open !== undefined) addText(open, text);
      },
      onclosetag: (name) => {
        if (name === "a") open = undefined;
      },
    },
    { decodeEntities: true },
  );
  parser.write(decodePage(bytes, contentType));
  parser.end();
  return links.map((link) => ({
    address: link.address,
    text: foldBlanks(link.text) || foldBlanks(link.label),
  }));
}

type OpenLink = { readonly address: URL; text: string; readonly label: string };

function addText(link: OpenLink, text: string): void {
  if (link.text.length < textCharsMax) link.text += text;
}

const foldBlanks = (text: string): string =>
  text.replaceAll(/\s+/g, " ").trim().slice(0, textCharsMax).toWellFormed();

/** Only what can be fetched: no mail, no scripts, and not the page itself at another place. */
function resolveLink(href: string | undefined, base: string): URL | undefined {
  if (href === undefined || href.trim().startsWith("#") || !URL.canParse(href, base)) return undefined;
  const target = new URL(href, base);
  if (target.protocol !== "http:" && target.protocol !== "https:") return undefined;
  target.hash = "";
  return target;
}

function decodePage(bytes: Uint8Array, contentType: string | undefined): string {
  const named = /charset\s*=\s*["']?([\w.:-]+)/i;
  const beginning = Buffer.from(bytes.subarray(0, metaBytes)).toString("latin1");
  const label =
    named.exec(contentType ?? "")?.[1] ??
    named.exec(/<meta[^>]*charset[^>]*>/i.exec(beginning)?.[0] ?? "")?.[1];
  try {
    return new TextDecoder(label ?? "utf-8").decode(bytes);
  } catch {
    return new TextDecoder("utf-8").decode(bytes); // An encoding that nobody knows; addresses are ASCII all the same.
  }
}
