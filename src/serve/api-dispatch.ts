/** From an address to what answers it. */
import type { JsonObject } from "../model/json-value.ts";
import type { RouteSpec } from "../ports/api-spec.ts";
import { answerAggregate } from "./aggregate-answer.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, type ApiRequest, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { QueryReader } from "./api-parameter.ts";
import { answerDocument, describeDataset, describeVersions, summarize } from "./catalog-answer.ts";
import type { DatasetView } from "./dataset-view.ts";
import { answerExport, answerPart } from "./export-answer.ts";
import { answerFacets } from "./facets-answer.ts";
import { answerUnchanged, finishAnswer, tagAnswer } from "./finish-answer.ts";
import { routeFormats } from "./friendly-route.ts";
import { describeApi } from "./open-api.ts";
import { openCursor, type PageCursor } from "./page-cursor.ts";
import { Problem, shorten, unknownName } from "./problem.ts";
import { parseQueryString } from "./query-string.ts";
import { RecentAnswers } from "./recent-answers.ts";
import { answerFirstRows, answerRows, tableFormats } from "./rows-answer.ts";
import type { ServeContext } from "./serve-context.ts";
import type { ServedDataset, ServedVersion } from "./served-dataset.ts";

type Answered = ApiAnswer | Promise<ApiAnswer>;

/** What there is below `/datasets/{name}/`. */
const datasetPlaces = ["rows", "facets", "aggregate", "versions", "export"] as const;

/** Finds what answers an address. */
export class ApiDispatch {
  readonly #context: ServeContext;
  readonly #datasets: ReadonlyMap<string, ServedDataset>;
  /** By the first word of their paths. */
  readonly #routes = new Map<string, RouteSpec[]>();
  readonly #recent = new RecentAnswers();
  #described: Readonly<{ tag: string; document: JsonObject }> | undefined;

  constructor(context: ServeContext, datasets: ReadonlyMap<string, ServedDataset>) {
    this.#context = context;
    this.#datasets = datasets;
    for (const route of context.spec.routes) {
      const [first] = route.segments;
      const word = first !== undefined && "literal" in first ? first.literal : "";
      this.#routes.set(word, [...(this.#routes.get(word) ?? []), route]);
    }
  }

  /** An answer that was made before. */
  findRecent(request: ApiRequest): ApiAnswer | undefined {
    return this.#recent.find(request);
  }

  /** @throws Problem when the request is wrong; so may the promise. */
  answer(ask: ApiAsk): Answered {
    const [first = "", second, third, ...rest] = ask.segments;
    const route = this.#findRoute(ask.segments);
    if (route !== undefined) return this.#answerRoute(ask, route);
    if (first === "datasets" && second === undefined && ask.version === undefined)
      return this.#answerList(ask);
    if (first === "datasets" && second !== undefined) return this.#answerDataset(ask, second, third, rest);
    if (ask.version === undefined && second === undefined && first === "openapi" && ask.ending === "json")
      return this.#answerOpenApi(ask);
    if (ask.version === undefined && second === undefined && first === "") return this.#answerRoot(ask);
    throw this.#unknownPath(ask);
  }

  /** The OpenAPI document of what is served now. */
  get openApi(): JsonObject {
    const { tag } = this.#servedNow();
    if (this.#described?.tag !== tag)
      this.#described = { tag, document: describeApi(this.#context.spec, this.#servedNow().views) };
    return this.#described.document;
  }

  #servedNow(): Readonly<{ views: readonly DatasetView[]; tag: string }> {
    const views = [...this.#datasets.values()].flatMap(({ current }) =>
      current === undefined ? [] : [current.view],
    );
    return { views, tag: views.map(({ dataset, short }) => `${dataset.length}${short}`).join("") };
  }

  #findRoute(segments: readonly string[]): RouteSpec | undefined {
    return this.#routes
      .get(segments[0] ?? "")
      ?.find(
        (route) =>
          route.segments.length === segments.length &&
          route.segments.every((segment, at) =>
            "literal" in segment ? segment.literal === segments[at] : segments[at] !== "",
          ),
      );
  }

  #answerRoute(ask: ApiAsk, spec: RouteSpec): Answered {
    const served = this.#served(spec.dataset);
    return this.#withVersion(ask, served, ask.version, ({ view, routes }) => {
      const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), routeFormats);
      // The formats that are offered are those that a route prints.
      const printed = format as (typeof routeFormats)[number];
      const tagged = tagAnswer(ask, this.#context.apiTag, view.short, format);
      const unchanged = answerUnchanged(ask, tagged);
      if (unchanged !== undefined) return unchanged;
      if (ask.query !== "") new QueryReader(parseQueryString(ask.query)).end([]);
      const route = routes.get(spec.path)!; // Made for each version with the dataset's routes.
      const body = route.print(route.readValues(ask.segments), printed);
      const answer = finishAnswer(ask, tagged, body, {
        cache: this.#context.cache,
        headers: ["leat-version", view.short],
      });
      const isCurrent = ask.version === undefined;
      if (isCurrent && !(answer instanceof Promise))
        this.#recent.keep(ask.request, served, view.short, answer);
      return answer;
    });
  }

  #answerDataset(ask: ApiAsk, name: string, place: string | undefined, rest: readonly string[]): Answered {
    const served = this.#served(name);
    const cursor = readCursor(ask, this.#context.cursorKey);
    const version = cursor?.version ?? ask.version;
    const context = this.#context;
    if (place === "versions" && rest.length === 0 && ask.version === undefined) {
      const list = (): Answered => {
        const tag = `${served.current?.view.short ?? "none"}${served.versions.length}`;
        return answerDocument(context, ask, tag, () => describeVersions(name, served.versions));
      };
      const isWaiting = ask.request.takesHead === true && served.current === undefined;
      return isWaiting ? served.whole(ask.request.signal).then(list) : list();
    }
    const answerHead = (head: DatasetView): Answered | undefined => {
      if (place === undefined)
        return keepOut(answerDocument(context, ask, `${head.short}-head`, () => describeDataset(head)));
      return place === "rows" && rest.length === 0 ? answerFirstRows(context, head, ask, cursor) : undefined;
    };
    const answerWhole = ({ view }: ServedVersion): Answered => {
      if (place === undefined) return answerDocument(context, ask, view.short, () => describeDataset(view));
      if (place === "parts" && rest.length === 1) return answerPart(context, view, ask, rest[0]!);
      if (rest.length > 0) throw this.#unknownPath(ask);
      switch (place) {
        case "rows":
          return answerRows(context, view, ask, cursor);
        case "aggregate":
          return answerAggregate(context, view, ask, cursor);
        case "facets":
          return answerFacets(context, view, ask);
        case "export":
          return answerExport(context, view, ask);
        default:
          throw unknownPlace(name, place);
      }
    };
    return this.#withVersion(ask, served, version, answerWhole, answerHead);
  }

  #answerList(ask: ApiAsk): Answered {
    const { views, tag } = this.#servedNow();
    // An empty list would be kept by caches for a minute after there is something.
    if (views.length === 0)
      throw new Problem("not-ready", { detail: "No dataset can be served yet.", retryAfterSeconds: 5 });
    return answerDocument(this.#context, ask, tag, () => ({ datasets: views.map(summarize) }));
  }

  #answerOpenApi(ask: ApiAsk): Answered {
    if (this.#servedNow().views.length === 0)
      throw new Problem("not-ready", { detail: "No dataset can be described yet.", retryAfterSeconds: 5 });
    return answerDocument(this.#context, ask, this.#servedNow().tag, () => this.openApi);
  }

  #answerRoot(ask: ApiAsk): Answered {
    const { spec } = this.#context;
    return answerDocument(this.#context, ask, this.#servedNow().tag, () => ({
      title: spec.title,
      description: spec.description,
      version: spec.version,
      datasets: spec.datasets.map((name) => `/datasets/${encodeURIComponent(name)}`),
      routes: spec.routes.map(({ path }) => path),
      openapi: "/openapi.json",
    }));
  }

  #served(name: string): ServedDataset {
    const served = this.#datasets.get(name);
    if (served === undefined)
      throw unknownName("unknown-dataset", "dataset", name, [...this.#datasets.keys()]);
    return served;
  }

  /**
   * Answers from one version, which stays as long as the answer is being made.
   *
   * @param makeOfHead - the answer from first rows; `undefined`: it takes the whole version.
   */
  #withVersion(
    ask: ApiAsk,
    served: ServedDataset,
    version: string | undefined,
    make: (version: ServedVersion) => Answered,
    makeOfHead: (head: DatasetView) => Answered | undefined = () => undefined,
  ): Answered {
    const holding = (found: ServedVersion): Answered => {
      if (!found.view.isOpen)
        throw new Problem("not-ready", {
          detail: "The version has just been unloaded.",
          retryAfterSeconds: 1,
        });
      const answered = make(found);
      if (!(answered instanceof Promise)) return answered;
      return answered.finally(found.view.hold());
    };
    const { current } = served;
    if (current === undefined && ask.request.takesHead === true)
      return this.#whileLoading(ask, served, version, holding, makeOfHead);
    if (version !== undefined) {
      const found = served.findVersion(version, ask.request.signal);
      return found instanceof Promise ? found.then(holding) : holding(found);
    }
    if (current !== undefined) return holding(current);
    throw new Problem("not-ready", {
      detail: `${served.name} has no version that can be served yet.`,
      retryAfterSeconds: 5,
    });
  }

  async #whileLoading(
    ask: ApiAsk,
    served: ServedDataset,
    version: string | undefined,
    holding: (version: ServedVersion) => Answered,
    makeOfHead: (head: DatasetView) => Answered | undefined,
  ): Promise<ApiAnswer> {
    const head = await served.firstRows();
    const isIt = head !== undefined && (version === undefined || head.manifest.version.startsWith(version));
    const made = isIt ? makeOfHead(head) : undefined;
    if (made !== undefined) return await made;
    const whole = await served.whole(ask.request.signal);
    if (version === undefined) return await holding(whole);
    return await holding(await served.findVersion(version, ask.request.signal));
  }

  #unknownPath(ask: ApiAsk): Problem {
    const { spec } = this.#context;
    const paths = [
      ...spec.routes.map(({ path }) => path),
      "/datasets",
      ...spec.datasets.flatMap((name) => [
        `/datasets/${name}`,
        ...datasetPlaces.map((place) => `/datasets/${name}/${place}`),
      ]),
      "/openapi.json",
    ];
    return unknownName("unknown-path", "address", `/${ask.segments.join("/")}`, paths);
  }
}

/** A place below a dataset that is not there, or one that is in a format that nobody has. */
function unknownPlace(dataset: string, place: string): Problem {
  const dot = place.lastIndexOf(".");
  const known = datasetPlaces.find((each) => each === place.slice(0, Math.max(0, dot)));
  if (known === undefined) return unknownName("unknown-path", `part of ${dataset}`, place, datasetPlaces);
  const ending = place.slice(dot + 1);
  return new Problem("unknown-format", {
    detail: `${known} of ${dataset} has no form that ends in .${shorten(ending)}.`,
    value: ending,
    allowed: known === "facets" || known === "versions" ? ["json"] : tableFormats,
  });
}

/** An answer that the next one differs from: no cache is to have it. */
async function keepOut(answered: Answered): Promise<ApiAnswer> {
  const answer = await answered;
  const headers = answer.headers.map((text, at) =>
    at % 2 === 1 && answer.headers[at - 1] === "cache-control" ? "no-store" : text,
  );
  return { ...answer, headers };
}

/** The cursor of a request; it says which version the page is of. */
function readCursor(ask: ApiAsk, key: Buffer): PageCursor | undefined {
  if (!ask.query.includes("cursor=")) return undefined;
  const text = new QueryReader(parseQueryString(ask.query)).text("cursor");
  if (text === undefined) return undefined;
  const cursor = openCursor(text, key);
  if (
    ask.version === undefined ||
    cursor.version.startsWith(ask.version) ||
    ask.version.startsWith(cursor.version)
  )
    return cursor;
  throw new Problem("invalid-cursor", {
    detail: `The cursor belongs to the version ${cursor.version}, and the address to ${ask.version}.`,
    parameter: "cursor",
  });
}
