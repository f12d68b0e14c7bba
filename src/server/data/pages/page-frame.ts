/** What is around every page. */
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { Assets, OwnFile } from "./assets.ts";
import { type Html, type HtmlValue, html } from "./html.ts";

/** A page's own parts. */
export type PageParts = Readonly<{
  title: string;
  /** The address of the menu's entry that it belongs to. */
  place?: "/" | "/docs" | "/sql";
  main: HtmlValue;
  scripts?: readonly (OwnFile | "scalar.js")[];
  /** More of the head. */
  head?: HtmlValue;
  /** The page's own script needs all the room there is. */
  isWide?: boolean;
}>;

const places = [
  ["/", "Data"],
  ["/docs", "API"],
  ["/sql", "SQL"],
] as const;

/** A whole page. */
export function framePage(spec: ApiSpec, assets: Assets, parts: PageParts): Html {
  const { title, place, main, scripts = [], head, isWide } = parts;
  const menu = places.map(
    ([address, name]) =>
      html`<li><a href="${address}"${address === place && html` aria-current="page"`}>${name}</a></li>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === spec.title ? title : `${title} · ${spec.title}`}</title>
<link rel="icon" href="${assets.address("icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.address("page.css")}">
${head}
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header class="top">
<a class="brand" href="/">${spec.title}</a>
<nav aria-label="Site"><ul>${menu}</ul></nav>
</header>
<main id="main" tabindex="-1"${isWide === true && html` class="wide"`}>
${main}
</main>
<script type="module" src="${assets.address("page.js")}"></script>
${scripts.map((name) => html`<script type="module" src="${assets.address(name)}"></script>`)}
</body>
</html>
`;
}
