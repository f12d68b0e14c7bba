/**
 * What a server counts, by OpenTelemetry, for Prometheus to collect. Labels are few and bounded: the method, a route as it
 * was declared, a status. Never an address, a key or a value of a request.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { DatasetState } from "../../serve/served-dataset.ts";
import { type MeasuredRequest, RequestCounts } from "./request-counts.ts";

/** What is asked when somebody collects. */
export type MetricSources = Readonly<{
  readers: () => Readonly<{ waiting: number; heldBytes: number; cut: number }>;
  datasets: () => readonly DatasetState[];
  activeRequests: () => number;
  nowMs: () => number;
}>;

/** Whose figures they are. */
const scope = { name: "leat" };

export class ServeMetrics {
  readonly #exporter = new PrometheusExporter({ preventServerStart: true });
  readonly #provider: MeterProvider;
  readonly #requests: RequestCounts;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(sources: MetricSources) {
    this.#provider = new MeterProvider({ readers: [this.#exporter] });
    const meter = this.#provider.getMeter(scope.name);
    this.#requests = new RequestCounts(sources.nowMs);
    this.#loopDelay.enable();
    const gauge = (name: string, description: string, unit: string, read: () => number): void =>
      meter.createObservableGauge(name, { description, unit }).addCallback((told) => told.observe(read()));
    gauge("http.server.active_requests", "Requests being answered.", "{request}", sources.activeRequests);
    gauge(
      "leat.slow_readers",
      "Clients that have not taken what was written.",
      "{client}",
      () => sources.readers().waiting,
    );
    gauge(
      "leat.held_answers",
      "Bytes of answers that wait for their readers.",
      "By",
      () => sources.readers().heldBytes,
    );
    gauge("process.memory.usage", "Resident memory.", "By", () => process.memoryUsage.rss());
    gauge(
      "leat.event_loop.delay",
      "99th percentile of the event loop's delay since the last look.",
      "s",
      () => {
        const seconds = this.#loopDelay.percentile(99) / 1e9;
        this.#loopDelay.reset();
        return seconds;
      },
    );
    meter
      .createObservableCounter("leat.slow_readers.cut", {
        description: "Clients cut off because they took nothing for too long.",
      })
      .addCallback((told) => told.observe(sources.readers().cut));
    meter
      .createObservableCounter("process.cpu.time", {
        description: "CPU time of the server process.",
        unit: "s",
      })
      .addCallback((told) => {
        const { user, system } = process.cpuUsage();
        told.observe((user + system) / 1e6);
      });
    const ofDatasets = (
      name: string,
      description: string,
      unit: string,
      read: (state: DatasetState) => number | undefined,
    ): void =>
      meter.createObservableGauge(name, { description, unit }).addCallback((told) => {
        for (const state of sources.datasets()) {
          const value = read(state);
          if (value !== undefined) told.observe(value, { dataset: state.dataset });
        }
      });
    ofDatasets(
      "leat.dataset.rows",
      "Rows of the version that is served.",
      "{row}",
      (state) => state.rowCount,
    );
    ofDatasets("leat.dataset.seq", "Number of the version that is served.", "1", (state) => state.seq);
    ofDatasets("leat.dataset.refused", "1 while the newest version cannot be served.", "1", ({ refused }) =>
      refused === undefined ? 0 : 1,
    );
    ofDatasets("leat.dataset.age", "Time since the version that is served was built.", "s", ({ builtAt }) =>
      builtAt === undefined ? undefined : (sources.nowMs() - Date.parse(builtAt)) / 1000,
    );
  }

  count(request: MeasuredRequest): void {
    this.#requests.count(request);
  }

  /** All of it as Prometheus reads it. */
  async print(): Promise<string> {
    const { resourceMetrics } = await this.#exporter.collect();
    const scopeMetrics = [...resourceMetrics.scopeMetrics, { scope, metrics: this.#requests.collect() }];
    return new PrometheusSerializer().serialize({ ...resourceMetrics, scopeMetrics });
  }

  async close(): Promise<void> {
    this.#loopDelay.disable();
    await this.#provider.shutdown();
  }
}
