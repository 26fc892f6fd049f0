import { assert, assertEquals } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, newRun, withConfig } from "./program.ts";

/** A span as OTLP carries it; times in nanoseconds since 1970, as texts. */
interface Sent {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

const SOWN = {
  train: { maxSteps: 20 },
  controller: {
    kind: "fixed",
    schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
  },
};

Deno.test("OTEL_DENO=true: a run's steps, ticks, transitions and compilations arrive as spans below the run's", async () => {
  const spans: Sent[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const sent = await request.json();
    for (const { scopeSpans } of sent.resourceSpans ?? []) {
      for (const scope of scopeSpans) if (scope.scope.name === "esper") spans.push(...scope.spans);
    }
    return Response.json({});
  });
  try {
    await withConfig("points", SOWN, async (root) => {
      const { code, stderr } = await runEsper(newRun(root, "--quiet"), {
        ...ENVIRONMENT,
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      });
      assertEquals([code, stderr], [0, ""]);
    });
  } finally {
    await server.shutdown();
  }
  const count = (name: string) => spans.filter((span) => span.name === name).length;
  assertEquals([count("train.run"), count("train.tick"), count("blueprint.compile")], [1, 5, 1]);
  assert(count("train.steps") >= 5 && count("seed.transition") >= 2);
  const run = spans.find(({ name }) => name === "train.run")!;
  for (const { name, parentSpanId, startTimeUnixNano, endTimeUnixNano } of spans) {
    if (name !== "train.run") assertEquals(parentSpanId, run.spanId, name);
    assert(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano), name);
  }
});
