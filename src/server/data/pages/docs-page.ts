/** `/docs`: the API's documentation, to read and to try. */
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { Assets } from "./assets.ts";
import { html } from "./html.ts";
import { answerPage } from "./page-answer.ts";
import { framePage } from "./page-frame.ts";

/**
 * The page. The library writes style elements and attributes, some of them without a nonce: styles alone are let in
 * beside the page's own files. It runs no code out of texts, and asks nobody but this server.
 */
export async function answerDocsPage(
  asked: ApiRequest,
  { spec, assets }: Readonly<{ spec: ApiSpec; assets: Assets }>,
): Promise<ApiAnswer> {
  const page = framePage(spec, assets, {
    title: "API",
    place: "/docs",
    isOwnPage: true,
    main: html`<div id="docs" data-openapi="/openapi.json" data-script="${assets.address("scalar.js")}"></div>
<noscript><p>This page needs JavaScript. The document that it is made of is <a href="/openapi.json">openapi.json</a>.</p></noscript>`,
    scripts: ["docs.js"],
  });
  return await answerPage(asked, page, { writesStyles: true });
}
