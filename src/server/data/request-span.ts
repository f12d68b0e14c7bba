/**
 * A span of each request, by OpenTelemetry's interface alone: whoever runs a server registers where spans go, before
 * leat is loaded (`node --import ./tracing.mjs`). Without that nothing is made and nothing is kept.
 */
import type { IncomingHttpHeaders } from "node:http";
import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";

export class RequestSpans {
  readonly #tracer: Tracer = trace.getTracer("leat");
  /** Whether somebody reads whose request a request belongs to. */
  readonly #isPropagated: boolean = propagation.fields().length > 0;

  /** Begins a span, within that of whoever asks where the request says so (`traceparent`). */
  begin(method: string, headers: IncomingHttpHeaders): Span {
    const options = { kind: SpanKind.SERVER };
    if (!this.#isPropagated) return this.#tracer.startSpan(method, options);
    return this.#tracer.startSpan(method, options, propagation.extract(context.active(), headers));
  }

  /** Ends it. Like the metrics it holds nothing that a client has sent but the method. */
  end(
    span: Span,
    { method, route, status }: Readonly<{ method: string; route: string; status: number }>,
  ): void {
    if (span.isRecording()) {
      span.updateName(`${method} ${route}`);
      span.setAttributes({
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
      });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
}
