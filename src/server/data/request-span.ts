/**
 * A span of each request, by OpenTelemetry's interface alone: whoever runs a server registers where spans go, before
 * leat is loaded (`node --import ./tracing.mjs`). Without that nothing is made and nothing is kept.
 */
import type { IncomingMessage } from "node:http";
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/** Begins a span, within that of whoever asks where the request says so (`traceparent`). */
export function beginSpan({ method = "GET", headers }: IncomingMessage): Span {
  const parent = propagation.extract(context.active(), headers);
  return trace.getTracer("leat").startSpan(method, { kind: SpanKind.SERVER }, parent);
}

/** Ends it. Like the metrics it holds nothing that a client has sent but the method. */
export function endSpan(
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
