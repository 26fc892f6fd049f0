import { assertEquals, assertThrows } from "@std/assert";
import { MetricsRing } from "../../../src/engine/compile/metrics_ring.ts";
import { StepBuffer } from "../../../src/engine/compile/step_buffer.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { stepInput } from "../../../src/engine/graph/tensor.ts";
import { onEachDevice } from "../../support/devices.ts";

const ROWS = 4;

/** A ring, and a step that appends the row [n, n + 0.5, -n]. */
async function ringOf(gpu: Gpu) {
  const ring = new MetricsRing(gpu, 2, 1, ROWS);
  const step = new StepBuffer(gpu, "t", [ring.stepInput, stepInput("values", [2]), stepInput("norms", [1])]);
  const append = await ring.bind(step, step.view("values"), step.view("norms"));
  let n = 0;
  const take = (count: number) => {
    for (let k = 0; k < count; k++, n++) {
      step.write({ ...ring.next(), values: [n, n + 0.5], norms: [-n] });
      replay(gpu, [append]);
    }
  };
  const destroy = () => {
    ring.destroy();
    step.destroy();
  };
  return { ring, take, destroy };
}

const row = (n: number) => new Float32Array([n, n + 0.5, -n]);

onEachDevice("MetricsRing.drain() gives all rows in order, across the end of the ring", async (gpu) => {
  const { ring, take, destroy } = await ringOf(gpu);
  const counts = [0, 3, 4, 1, 2, 4];
  let first = 0;
  for (const count of counts) {
    take(count);
    assertEquals(ring.pending, count);
    const rows = await ring.drain();
    assertEquals(rows, Array.from({ length: count }, (_, k) => row(first + k)));
    assertEquals(ring.pending, 0);
    first += count;
  }
  destroy();
});

onEachDevice("MetricsRing.drain() loses no row of the steps taken meanwhile", async (gpu) => {
  const { ring, take, destroy } = await ringOf(gpu);
  take(3);
  const early = ring.drain();
  take(4);
  const late = ring.drain();
  take(2);
  assertEquals(await early, [0, 1, 2].map(row));
  assertEquals(await late, [3, 4, 5, 6].map(row));
  assertEquals(await ring.drain(), [7, 8].map(row));
  destroy();
});

onEachDevice("MetricsRing.next() refuses to overwrite a row that was not read", async (gpu) => {
  const { ring, take, destroy } = await ringOf(gpu);
  take(ROWS - 1);
  assertEquals(ring.full, false);
  take(1);
  assertEquals(ring.full, true);
  assertThrows(() => ring.next(), Error, "metrics ring: want at most 4 unread rows; read more often");
  assertEquals(await ring.drain(), [0, 1, 2, 3].map(row));
  take(1);
  assertEquals(await ring.drain(), [row(4)]);
  destroy();
});
