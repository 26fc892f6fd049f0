import { assert, assertEquals } from "@std/assert";
import { settled } from "../../../src/engine/gpu/readback.ts";
import { bind, replay } from "../../../src/engine/gpu/recorder.ts";
import { openShared } from "../../support/devices.ts";

const COUNT = `override ROUNDS: u32 = 1u;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main() {
  var x = y[0];
  for (var i = 0u; i < ROUNDS; i++) { x = x * 1664525u + 1013904223u; }
  y[0] = x;
}
`;

Deno.test("createDawn() keeps the event loop free while work is waited for", async () => {
  const gpu = await openShared("dawn");
  if (!gpu) return;
  const y = gpu.allocator.storage("y", 16);
  const dispatch = await bind(gpu, {
    name: "test/count",
    source: COUNT,
    constants: { ROUNDS: 10_000_000 },
    operands: ["output"],
    workgroups: [1, 1, 1],
  }, [y]);

  const scope = globalThis as unknown as { setImmediate: (...args: unknown[]) => unknown };
  const { setImmediate } = scope;
  let polls = 0;
  scope.setImmediate = (...args) => {
    polls++;
    return setImmediate(...args);
  };
  const start = performance.now();
  let last = start, gap = 0, beats = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    beats++;
  }, 5);
  try {
    while (performance.now() - start < 300) {
      replay(gpu, [dispatch]);
      await settled(gpu);
    }
  } finally {
    clearInterval(timer);
    scope.setImmediate = setImmediate;
  }
  const waited = performance.now() - start;
  // Polls without a pause are tens of thousands.
  assert(polls > 0 && polls < 5 * waited, `${polls} polls in ${waited} ms`);
  assert(beats > 5 && gap < 1000, `${beats} beats of a timer, at most ${gap} ms apart`);
  gpu.allocator.free(y);
});

Deno.test("createDawn() leaves setImmediate as it is for all others", async () => {
  if (!await openShared("dawn")) return;
  const scope = globalThis as unknown as {
    setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) => unknown;
    clearImmediate: (immediate: unknown) => void;
  };
  const order: unknown[] = [];
  await new Promise<void>((resolve) => {
    scope.clearImmediate(scope.setImmediate(() => order.push("cleared")));
    scope.setImmediate((...args) => order.push(...args), 1, 2);
    scope.setImmediate(() => {
      order.push(3);
      resolve();
    });
  });
  assertEquals(order, [1, 2, 3]);
});
