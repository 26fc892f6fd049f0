/** Spans of a run for OpenTelemetry, which Deno exports where OTEL_DENO=true. */
import type { Span, Tracer } from "@opentelemetry/api";
import type { AnyEnvelope, Payloads } from "../../contracts/events.ts";

/** Makes spans of what a run tells. */
export interface Tracing {
  event(event: AnyEnvelope): void;
  /** Ends what has not ended. */
  close(): void;
}

/** Whether spans are wanted; without leave to read the environment they are not. */
function wanted(): boolean {
  try {
    return Deno.env.get("OTEL_DENO") === "true";
  } catch {
    return false;
  }
}

/** Null where nobody has asked for spans: a run then costs nothing for them. */
export async function openTracing(): Promise<Tracing | null> {
  if (!wanted()) return null;
  const { context, SpanStatusCode, trace } = await import("@opentelemetry/api");
  return createTracing(trace.getTracer("esper"), {
    under: (span) => trace.setSpan(context.active(), span),
    failed: { code: SpanStatusCode.ERROR },
  });
}

interface Api {
  under(span: Span): ReturnType<typeof import("@opentelemetry/api").context.active>;
  readonly failed: { readonly code: number };
}

/**
 * One span a run, and below it: `train.steps` from one reading of the metrics to the next, `train.tick` from tick to tick,
 * `blueprint.compile` from a germination until the network runs with the seed, `seed.transition` for each edge.
 */
function createTracing(tracer: Tracer, { under, failed }: Api): Tracing {
  let run: Span | null = null;
  let steppedMs = 0, tickedMs = 0;
  const compiling = new Map<string, number>();

  /** A span of what is over. */
  function span(name: string, startMs: number, endMs: number, attributes: Record<string, unknown>): void {
    if (run === null) return;
    const known = Object.fromEntries(
      Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined)
        .map(([key, value]) => [`esper.${key}`, value as string | number | boolean]),
    );
    tracer.startSpan(name, { startTime: startMs, attributes: known }, under(run)).end(endMs);
  }

  const takers: { [T in AnyEnvelope["topic"]]?: (payload: Payloads[T], timeMs: number) => void } = {
    "run.started"({ run: name, dataset, adapter, profile }, timeMs) {
      run?.end(timeMs);
      run = tracer.startSpan("train.run", {
        startTime: timeMs,
        attributes: {
          "esper.run": name,
          "esper.dataset": dataset,
          "esper.adapter": adapter,
          "esper.profile": profile,
        },
      });
      steppedMs = tickedMs = timeMs;
    },
    "run.finished"({ reason, step }, timeMs) {
      run?.setAttribute("esper.reason", reason).setAttribute("esper.step", step);
      if (reason === "failed") run?.setStatus(failed);
      run?.end(timeMs);
      run = null;
    },
    "step.metrics"({ step, loss, accuracy, imagesPerSecond }, timeMs) {
      span("train.steps", steppedMs, timeMs, { step, loss, accuracy, imagesPerSecond });
      steppedMs = timeMs;
    },
    "tick.report"({ tick, step, controlLoss, decision }, timeMs) {
      span("train.tick", tickedMs, timeMs, { tick, step, controlLoss, action: decision.action.kind });
      tickedMs = steppedMs = timeMs;
    },
    "seed.edge"({ seed, slot, blueprint, from, to, reason, tick }, timeMs) {
      span("seed.transition", timeMs, timeMs, { seed, slot, blueprint, from, to, reason, tick });
      const since = compiling.get(seed);
      if (to === "GERMINATED") compiling.set(seed, timeMs);
      if (from !== "GERMINATED" || since === undefined) return;
      compiling.delete(seed);
      span("blueprint.compile", since, timeMs, { seed, slot, blueprint, reason });
    },
  };
  return {
    event: ({ topic, payload, time }) =>
      (takers[topic] as ((payload: unknown, time: number) => void) | undefined)?.(payload, time),
    close() {
      run?.end();
      run = null;
    },
  };
}
