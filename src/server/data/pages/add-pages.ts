/** All pages of a server, on Fastify's router. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { answerAsset } from "./answer-asset.ts";
import type { Assets } from "./assets.ts";
import { answerDatasetPage } from "./dataset-page.ts";
import { answerDocsPage } from "./docs-page.ts";
import { answerLive, answerMetrics, answerReady } from "./health.ts";
import { answerHomePage } from "./home-page.ts";
import { answerError, notFound } from "./page-answer.ts";
import { exchangeOf } from "./page-exchange.ts";
import type { SqlEngineFiles } from "./sql-engine.ts";
import { answerSqlFile, answerSqlPage } from "./sql-page.ts";

/** What pages are made of. */
export type PagePorts = Readonly<{
  api: DataApi;
  assets: Assets;
  /** Files of the engine that runs in visitors' browsers; `undefined`: it is not installed. */
  sqlEngine: SqlEngineFiles | undefined;
  log: Logger;
  /** `undefined`: nobody may see them. */
  metrics: (() => Promise<string>) | undefined;
  isStopping: () => boolean;
  /** Whether data are given to holders of keys alone: a browser cannot show one. */
  needsKey: boolean;
}>;

type PageParams = Readonly<Record<string, string>>;
type AnswerPage = (asked: ApiRequest, params: PageParams) => ApiAnswer | Promise<ApiAnswer>;

/** Adds the pages. */
export async function addPages(app: FastifyInstance, ports: PagePorts): Promise<void> {
  const handle =
    (answer: AnswerPage) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.hijack(); // Pages leave like data: at the reader's pace, counted and logged.
      const exchange = exchangeOf(request.raw);
      if (exchange === undefined) throw new Error("a request came to the router without the host");
      const params = (request.params ?? {}) as PageParams; // Of Fastify's own router: names and texts.
      try {
        exchange.send(await answer(exchange.asked, params));
      } catch (error) {
        ports.log.error({ err: error, url: exchange.asked.url.slice(0, 500) }, "a page failed");
        exchange.send(answerError(exchange.asked));
      }
    };
  const page = (url: string, answer: AnswerPage): void =>
    void app.route({ method: ["GET", "HEAD"], url, handler: handle(answer) });

  page("/live", () => answerLive());
  page("/ready", () => answerReady(ports));
  if (ports.metrics !== undefined) page("/metrics", () => answerMetrics(ports));
  page("/assets/*", (asked, params) => answerAsset(asked, ports.assets, params["*"] ?? ""));
  page("/", (asked) => answerHomePage(asked, ports));
  page("/datasets", (asked) => answerHomePage(asked, ports));
  page("/datasets/:name", (asked, params) => answerDatasetPage(asked, ports, params));
  page("/v/:version/datasets/:name", (asked, params) => answerDatasetPage(asked, ports, params));
  page("/docs", (asked) => answerDocsPage(asked, ports));
  page("/sql", (asked) => answerSqlPage(asked, ports));
  page("/sql/*", (asked, params) => answerSqlFile(asked, ports, params["*"] ?? ""));
  app.setNotFoundHandler(handle((asked) => notFound(asked)));
}
