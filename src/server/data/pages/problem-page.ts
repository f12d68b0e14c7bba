/** Pages that say what went wrong. */
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { PageProblem } from "./ask-api.ts";
import type { Assets } from "./assets.ts";
import { html } from "./html.ts";
import { answerPage } from "./page-answer.ts";
import { framePage } from "./page-frame.ts";

/** Allowed values that are shown. */
const allowedShown = 20;

export async function answerProblem(
  asked: ApiRequest,
  { spec, assets }: Readonly<{ spec: ApiSpec; assets: Assets }>,
  { status, title, detail, allowed = [] }: PageProblem,
): Promise<ApiAnswer> {
  const main = html`<h1>${title}</h1>
<p>${detail}</p>
${
  allowed.length > 0 &&
  html`<p>There is:</p><ul>${allowed.slice(0, allowedShown).map((value) => html`<li><code>${String(value)}</code></li>`)}</ul>`
}
<p><a href="/">All datasets</a></p>`;
  return await answerPage(asked, framePage(spec, assets, { title, main }), {}, status);
}
