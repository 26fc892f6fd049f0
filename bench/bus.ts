// What the in-process bus carries: thousands of messages a second, from the first publication until the last handler has
// returned, and microseconds from a publication to its handler.
//
//   deno run -A bench/bus.ts [--count 100000] [--rounds 7] [--quick] [--json FILE]
import { createMemoryBus } from "../src/oona/mod.ts";
import type { Bus } from "../src/oona/bus.ts";
import { readOptions } from "./support/options.ts";
import { digits, range, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";

const options = readOptions({ count: "" });
const count = Number(options.own.count || (options.quick ? "1000" : "100000"));
const report = startReport("Messages on the bus", options, null);

const metrics = (step: number) => ({
  step,
  loss: 1,
  accuracy: 0.5,
  learningRate: 0.1,
  imagesPerSecond: 10,
  flops: 100,
});
const notice = { level: "info", text: "a" } as const;
let handled = 0;
const count1 = () => void handled++;

/** Lets the subscribers loose, and gives what publishes one message. */
type Scenario = (bus: Bus, stuck: Promise<void>) => (n: number) => Promise<void>;

const telemetry = (subscribers: number): Scenario => (bus) => {
  for (let i = 0; i < subscribers; i++) bus.subscribe("step.metrics", count1, { capacity: count });
  return (n) => bus.publish("step.metrics", metrics(n));
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "telemetry, 1 subscriber": telemetry(1),
  "telemetry, 4 subscribers": telemetry(4),
  "control, 1 subscriber": (bus) => {
    bus.subscribe("notice", count1);
    return () => bus.publish("notice", notice);
  },
  "control, handler waits for a promise": (bus) => {
    bus.subscribe("notice", async () => {
      await null;
      handled++;
    });
    return () => bus.publish("notice", notice);
  },
  "telemetry, 1 beside one stuck and one that throws": (bus, stuck) => {
    bus.subscribe("step.metrics", () => stuck);
    bus.subscribe("step.metrics", () => Promise.reject(new Error("no")), { backoffMs: 1 });
    return telemetry(1)(bus, stuck);
  },
};

interface Row extends Record<string, string | number> {
  scenario: string;
  perSecond: number;
  p10: number;
  p90: number;
  delayMicros: number;
  delayP99: number;
}

/** Messages a second of one run through. */
async function measure(scenario: Scenario): Promise<number> {
  const bus = createMemoryBus(), stuck = Promise.withResolvers<void>();
  const publish = scenario(bus, stuck.promise);
  handled = 0;
  const started = performance.now();
  for (let n = 0; n < count; n++) await publish(n);
  while (bus.stats().at(-1)!.pending > 0) await new Promise((resolve) => setTimeout(resolve));
  const seconds = (performance.now() - started) / 1e3;
  if (bus.stats().at(-1)!.delivered !== count) throw new Error("bus: messages are missing");
  stuck.resolve();
  await bus.close();
  return count / seconds;
}

/** Microseconds from publication to handler, one message after the other. */
async function delays(scenario: Scenario): Promise<number[]> {
  const bus = createMemoryBus(), stuck = Promise.withResolvers<void>();
  const publish = scenario(bus, stuck.promise);
  const micros: number[] = [];
  for (let n = 0; n < Math.min(count, 2000); n++) {
    const before = handled, started = performance.now();
    await publish(n);
    while (handled === before) await null;
    micros.push(1e3 * (performance.now() - started));
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  stuck.resolve();
  await bus.close();
  return micros.sort((a, b) => a - b);
}

const rows: Row[] = [];
for (const [scenario, start] of Object.entries(SCENARIOS)) {
  await measure(start);
  const rates: number[] = [];
  for (let round = 0; round < options.rounds; round++) rates.push(await measure(start));
  const { median, p10, p90 } = spreadOf(rates);
  const waits = await delays(start);
  const at = (part: number) => waits[Math.floor(part * (waits.length - 1))];
  rows.push({ scenario, perSecond: median, p10, p90, delayMicros: at(0.5), delayP99: at(0.99) });
}
report.table(`${count} messages, each published when the one before has been taken`, {
  scenario: (row: Row) => row.scenario,
  "1000 a second": ({ perSecond }) => digits(perSecond / 1e3),
  "p10..p90": ({ p10, p90 }) => range({ p10: p10 / 1e3, p90: p90 / 1e3 }),
  "µs to the handler": ({ delayMicros }) => digits(delayMicros),
  "p99": ({ delayP99 }) => digits(delayP99),
}, rows);
report.finish();
