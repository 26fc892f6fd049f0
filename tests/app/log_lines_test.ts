import { assertEquals, assertThrows } from "@std/assert";
import { edgesIn, formatLine, parseLog } from "../../src/app/log_lines.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import type { Edge } from "../../src/contracts/lifecycle.ts";
import { UserError } from "../../src/util/errors.ts";

const edge: Edge = {
  ...{ tick: 1, step: 8, slot: "a", seed: "a/1", blueprint: "se", from: "TRAINING", to: "PRUNED" },
  ...{ reason: "not_finite", evidence: { gradNorm: NaN, failed: null, fit: "fits", ready: true } },
};
const events: AnyEnvelope[] = [
  { id: 1, time: 7, topic: "seed.edge", payload: edge },
  { id: 2, time: 8, topic: "notice", payload: { level: "info", text: "a\nb" } },
];

Deno.test("parseLog() gives back what formatLine() wrote, numbers that JSON cannot hold included", () => {
  const lines = parseLog(events.map(formatLine).join(""), "events.jsonl");
  assertEquals(lines, [
    { topic: "seed.edge", time: 7, ...edge },
    { topic: "notice", time: 8, level: "info", text: "a\nb" },
  ]);
  assertEquals(edgesIn(lines), [edge]);
  assertEquals(parseLog("", "events.jsonl"), []);
});

Deno.test("parseLog() names the line and the place of what is no line of a log", () => {
  const whole = formatLine(events[1]);
  const said = (line: string) =>
    assertThrows(() => parseLog(`${whole}\n${line}\n`, "r/events.jsonl"), UserError).message;
  const want = (line: unknown) => said(JSON.stringify(line));
  const { topic, time, ...payload } = { topic: "seed.edge", time: 7, ...edge, evidence: {} };
  for (
    const [got, message] of [
      [said('{"to'), "want a line of JSON, got: "],
      [said(`${"[".repeat(200)}${"]".repeat(200)}`), "want a line of JSON, got: want at most 100 levels"],
      [want({ topic, ...payload }), "time: Invalid input: expected number, received undefined"],
      [want({ topic: "seed.edges", time, ...payload }), "topic: Invalid"],
      [want({ topic, time, ...payload, to: "ALIVE" }), "to: Invalid option"],
      [want({ topic, time, ...payload, reason: "whim" }), "reason: Invalid option"],
      [want({ topic, time, ...payload, step: -1 }), "step: Too small"],
      [want({ topic, time, ...payload, seed: null }), "seed: Invalid input"],
      [want({ topic, time, ...payload, stray: 1 }), 'line: Unrecognized key: "stray"'],
      [want(null), "line: Invalid input"],
    ]
  ) {
    assertEquals(got.slice(0, 18 + message.length), `r/events.jsonl:3: ${message}`);
    assertEquals(got.endsWith("; restore the log"), true, got);
  }
});
