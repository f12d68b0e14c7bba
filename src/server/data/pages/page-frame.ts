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
  /** A library draws the page, landmarks and all, in styles of its own. */
  isOwnPage?: boolean;
}>;

const places = [
  ["/", "Data"],
  ["/docs", "API"],
  ["/sql", "SQL"],
] as const;

/** A whole page. */
export function framePage(spec: ApiSpec, assets: Assets, parts: PageParts): Html {
  const { title, place, main, scripts = [], head, isOwnPage } = parts;
  const menu = places.map(
    ([address, name]) =>
      html`<li><a href="${address}"${address === place && html` aria-current="page"`}>${name}</a></li>`,
  );
  const brand = html`<a class="brand" href="/">${spec.title}</a>`;
  const list = html`<ul>${menu}</ul>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === spec.title ? title : `${title} · ${spec.title}`}</title>
<link rel="icon" href="${assets.address("icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.address(isOwnPage === true ? "docs.css" : "page.css")}">
${head}
</head>
<body>
<a class="skip" href="#main">To the content</a>
${isOwnPage === true ? html`<nav class="top" aria-label="Site">${brand}${list}</nav>` : html`<header class="top">${brand}<nav aria-label="Site">${list}</nav></header>`}
${isOwnPage === true ? html`<div id="main" tabindex="-1" class="wide">${main}</div>` : html`<main id="main" tabindex="-1">${main}</main>`}
<script type="module" src="${assets.address("page.js")}"></script>
${scripts.map((name) => html`<script type="module" src="${assets.address(name)}"></script>`)}
</body>
</html>
`;
}
