/** All pages of a server, on Fastify's router. */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { answerAsset } from "./answer-asset.ts";
import type { Assets } from "./assets.ts";
import { answerDatasetPage } from "./dataset-page.ts";
import { answerDocsPage } from "./docs-page.ts";
import { answerLive, answerMetrics, answerReady } from "./health.ts";
import { answerHomePage } from "./home-page.ts";
import { answerText } from "./page-answer.ts";
import { exchangeOf } from "./page-exchange.ts";
import { answerProblem } from "./problem-page.ts";
import type { SqlEngineFiles } from "./sql-engine.ts";
import { answerSqlFile, answerSqlPage } from "./sql-page.ts";

/** What pages are made of. */
export type PagePorts = Readonly<{
  spec: ApiSpec;
  api: DataApi;
  assets: Assets;
  /** Files of the engine that runs in visitors' browsers; `undefined`: it is not installed. */
  sqlEngine: SqlEngineFiles | undefined;
  log: Logger;
  /** `undefined`: nobody may see them. */
  metrics: (() => Promise<string>) | undefined;
  isStopping: () => boolean;
  /** Whether data are given to holders of keys alone. */
  needsKey: boolean;
}>;

type PageParams = Readonly<Record<string, string>>;
type AnswerPage = (
  asked: ApiRequest,
  params: PageParams,
) => ApiAnswer | undefined | Promise<ApiAnswer | undefined>;

const missing = { status: 404, title: "There is nothing at this address.", detail: "Look at what there is." };
const failed = {
  status: 500,
  title: "Something is wrong on our side.",
  detail: "An unexpected error; it has been logged.",
};

const unreadable = {
  status: 400,
  title: "The address cannot be read.",
  detail: "It is not well encoded: % begins two hexadecimal digits of UTF-8.",
};

/** Answers a request whose address the router cannot decode. */
export async function answerUnreadable(request: IncomingMessage, ports: PagePorts): Promise<void> {
  const exchange = exchangeOf(request);
  exchange?.send(await answerProblem(exchange.asked, ports, unreadable));
}

/** Adds the pages. */
export function addPages(app: FastifyInstance, ports: PagePorts): void {
  const { api, assets } = ports;
  const handle =
    (answer: AnswerPage) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.hijack(); // Pages leave like data: at the reader's pace, counted and logged.
      const exchange = exchangeOf(request.raw);
      if (exchange === undefined) throw new Error("a request came to the router without the host");
      const { asked } = exchange;
      const params = (request.params ?? {}) as PageParams; // Of Fastify's own router: names and texts.
      try {
        exchange.send((await answer(asked, params)) ?? (await answerProblem(asked, ports, missing)));
      } catch (error) {
        ports.log.error({ err: error, url: asked.url.slice(0, 500) }, "a page failed");
        exchange.send(await answerProblem(asked, ports, failed));
      }
    };
  const page = (url: string, answer: AnswerPage): void =>
    void app.route({ method: ["GET", "HEAD"], url, handler: handle(answer) });

  const { metrics } = ports;
  page("/live", answerLive);
  page("/ready", (asked) => answerReady(asked, api, ports.isStopping()));
  if (metrics !== undefined) page("/metrics", (asked) => answerMetrics(asked, metrics));
  page("/robots.txt", (asked) => answerText(asked, "User-agent: *\nAllow: /\n", "text/plain; charset=utf-8"));
  page("/favicon.ico", (asked) => sendFile(asked, "icon.svg"));
  page("/assets/*", async (asked, params) => {
    const file = assets.find(params["*"] ?? "");
    return file === undefined ? undefined : await answerAsset(asked, file);
  });
  page("/", (asked) => answerHomePage(asked, ports));
  page("/datasets", (asked) => answerHomePage(asked, ports));
  page("/datasets/:name", (asked, params) =>
    answerDatasetPage(asked, ports, params["name"] ?? "", undefined),
  );
  page("/v/:version/datasets/:name", (asked, params) =>
    answerDatasetPage(asked, ports, params["name"] ?? "", params["version"]),
  );
  page("/docs", (asked) => answerDocsPage(asked, ports));
  page("/sql", (asked) => answerSqlPage(asked, ports));
  page("/sql/*", (asked, params) => answerSqlFile(asked, ports, params["*"] ?? ""));
  app.setNotFoundHandler(handle(() => undefined));

  async function sendFile(asked: ApiRequest, name: "icon.svg"): Promise<ApiAnswer | undefined> {
    const file = assets.find(assets.address(name).slice("/assets/".length));
    return file === undefined ? undefined : await answerAsset(asked, file);
  }
}
