import { type Span, SpanKind, trace } from "@opentelemetry/api";
import { afterAll, expect, test } from "vitest";
import { openTestHost } from "./open-test-host.ts";

type Told = { name: string; attributes: Record<string, unknown>; isEnded: boolean; kind: unknown };
const told: Told[] = [];

/** As much of a provider as a host uses; a real one is whoever runs a server's to choose. */
const provider = {
  getTracer: () => ({
    startSpan(name: string, options?: { kind?: SpanKind }): Span {
      const span: Told = { name, attributes: {}, isEnded: false, kind: options?.kind };
      told.push(span);
      const made = {
        isRecording: () => true,
        updateName(given: string) {
          span.name = given;
        },
        setAttributes: (given: object) => void Object.assign(span.attributes, given),
        setStatus: () => made,
        end() {
          span.isEnded = true;
        },
      };
      return made as unknown as Span; // What is not here is not called.
    },
  }),
};
afterAll(() => trace.disable());

test("each request is a span with a route of few, where somebody collects spans", async () => {
  trace.setGlobalTracerProvider(provider as unknown as Parameters<typeof trace.setGlobalTracerProvider>[0]);
  await using host = await openTestHost();
  await (await host.get("/year/2018/geo_code/E00000001?x=secret")).text();
  await (await host.get("/year/2018/geo_code/E00000002")).text();
  await expect.poll(() => told.filter(({ isEnded }) => isEnded).length, { timeout: 20_000 }).toBe(2);
  expect(told.map(({ name }) => name)).toEqual(Array(2).fill("GET /year/{year}/geo_code/{geo_code}"));
  expect(told.map(({ attributes }) => attributes["http.response.status_code"])).toEqual([400, 200]);
  expect(told[0]!.kind).toBe(SpanKind.SERVER);
  expect(JSON.stringify(told)).not.toContain("secret");
});
