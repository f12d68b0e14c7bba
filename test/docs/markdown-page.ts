/** A Markdown page as the tests read it: its code blocks, its inline code, its links and headings. */

/** A fenced block: the language after the fence, and the text inside. */
export type CodeBlock = Readonly<{ language: string; text: string }>;

export type MarkdownPage = Readonly<{
  /** Path in the repository. */
  path: string;
  blocks: readonly CodeBlock[];
  /** Text of inline code, outside of blocks. */
  spans: readonly string[];
  /** Targets of links, as written. */
  links: readonly string[];
  /** Anchors of the headings. */
  anchors: readonly string[];
}>;

const fence = /^```(\w*)[^\n]*\n([\s\S]*?)^```\s*$/gm;

/** Takes a page apart. Comments of HTML are not part of it. */
export function readPage(path: string, text: string): MarkdownPage {
  const shown = text.replace(/<!--[\s\S]*?-->/g, "");
  const blocks = [...shown.matchAll(fence)].map(([, language, body]) => ({
    language: language!,
    text: body!,
  }));
  const prose = shown.replace(fence, "");
  return {
    path,
    blocks,
    spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!),
    links: [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!),
    anchors: [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title!)),
  };
}

/** A heading's anchor as GitHub makes it. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}
