import { assertEquals, assertThrows } from "@std/assert";
import { StepBuffer } from "../../../src/engine/compile/step_buffer.ts";
import { read } from "../../../src/engine/gpu/readback.ts";
import { stepInput } from "../../../src/engine/graph/tensor.ts";
import { onEachDevice } from "../../support/devices.ts";

const sources = () => [stepInput("rate", []), stepInput("indices", [3], "u32"), stepInput("alpha", [2, 2])];

onEachDevice("StepBuffer.write() puts each value where its view lies", async (gpu) => {
  const step = new StepBuffer(gpu, "t", sources());
  assertEquals(step.names, ["rate", "indices", "alpha"]);
  step.write({ rate: 0.5, indices: [1, 0xffffffff, 3], alpha: new Float32Array([1, 2, 3, 4]), other: 9 });
  assertEquals(new Float32Array(await read(gpu, step.view("rate"), 4)), new Float32Array([0.5]));
  assertEquals(
    new Uint32Array(await read(gpu, step.view("indices"), 12)),
    new Uint32Array([1, 0xffffffff, 3]),
  );
  assertEquals(new Float32Array(await read(gpu, step.view("alpha"), 16)), new Float32Array([1, 2, 3, 4]));
  for (const name of step.names) assertEquals(step.view(name).offset % 256, 0);
  step.destroy();
});

onEachDevice("StepBuffer.write() wants every value, in its size", (gpu) => {
  const step = new StepBuffer(gpu, "t", sources());
  const good = { rate: [1], indices: [1, 2, 3], alpha: [1, 2, 3, 4] };
  const { rate: _, ...missing } = good;
  assertThrows(() => step.write(missing), Error, 'step value "rate": want 1 numbers, got none');
  assertThrows(
    () => step.write({ ...good, indices: [1, 2] }),
    Error,
    'step value "indices": want 3 numbers, got 2',
  );
  assertThrows(() => step.write({ ...good, alpha: 1 }), Error, 'step value "alpha": want 4 numbers, got 1');
  step.destroy();
});

onEachDevice("StepBuffer holds a name once and refuses it in two types", (gpu) => {
  const step = new StepBuffer(gpu, "t", [...sources(), ...sources()]);
  assertEquals(step.names.length, 3);
  assertEquals(step.bytes, 3 * 256);
  assertThrows(
    () => new StepBuffer(gpu, "t", [stepInput("a", [2]), stepInput("a", [3])]),
    TypeError,
    'step value "a": declared as step "a" f32 [2] and as step "a" f32 [3]',
  );
  assertThrows(
    () => new StepBuffer(gpu, "t", [stepInput("a", [2]), stepInput("a", [2], "u32")]),
    TypeError,
    'step value "a": declared as step "a" f32 [2] and as step "a" u32 [2]',
  );
  step.destroy();
});

onEachDevice("StepBuffer of a program without step values writes nothing", (gpu) => {
  const step = new StepBuffer(gpu, "t", []);
  step.write({});
  step.destroy();
});
