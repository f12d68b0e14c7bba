/** What supervisors ask: whether the process lives, whether it can be sent requests, and what it has counted. */
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { answerText } from "./page-answer.ts";

const json = "application/json; charset=utf-8";

export const answerLive = (asked: ApiRequest): ApiAnswer => answerText(asked, '{"status":"live"}\n', json);

/** Ready: every dataset has a version, and nobody has asked this server to stop. */
export function answerReady(asked: ApiRequest, api: DataApi, isStopping: boolean): ApiAnswer {
  const datasets = api.states().map(({ dataset, version, seq, rowCount, builtAt, refused }) => ({
    dataset,
    version: version ?? null,
    number: seq ?? null,
    rowCount: rowCount ?? null,
    builtAt: builtAt ?? null,
    // Why is for the log: it may name files and places.
    newestIsRefused: refused !== undefined,
  }));
  const isReady = !isStopping && datasets.every(({ version }) => version !== null);
  const status = isStopping ? "stopping" : isReady ? "ready" : "waiting for versions";
  return answerText(asked, `${JSON.stringify({ status, datasets })}\n`, json, isReady ? 200 : 503);
}

export const answerMetrics = async (asked: ApiRequest, print: () => Promise<string>): Promise<ApiAnswer> =>
  answerText(asked, await print(), "text/plain; version=0.0.4; charset=utf-8");
