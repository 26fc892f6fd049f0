import { compile, type Program } from "../engine/compile/program.ts";
import type { BufferView } from "../engine/gpu/allocator.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { readFloats } from "../engine/gpu/readback.ts";
import { replay } from "../engine/gpu/recorder.ts";
import { resident, withSharedNodes } from "../engine/graph/tensor.ts";
import { TraceScope } from "../engine/nn/scope.ts";
import { seedsWith, type Topology } from "../tolaria/mod.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import { sizeOf } from "../util/shape.ts";
import type { Session } from "./session.ts";

/** What a network in training says to examples of anyone's. Look while no step is on its way: between two ticks. */
export interface Onlooker {
  /**
   * Class probabilities [count, classes] of examples [count, ...shape], as the network takes them (see `NetworkInput`).
   * Seeds that incubate are left out; nothing is charged to the run.
   */
  probabilities(examples: Float32Array): Promise<Float32Array<ArrayBuffer>>;
  destroy(): void;
}

const X = "onlooker/x";

/** An onlooker that takes `batch` examples at a time. */
export function createOnlooker(gpu: Gpu, { network, trainer }: Session, batch: number): Onlooker {
  const { config, store } = trainer.parts;
  const shape = trainer.parts.examples.shape, size = sizeOf(shape), { classes } = network.model;
  const memory: BufferView = gpu.allocator.storage(X, 4 * batch * size);
  let compiled: { readonly key: string; readonly program: Program } | null = null;

  async function programOf(topology: Topology): Promise<Program> {
    const key = canonicalJson({ topology, layout: store.layout } as unknown as Json);
    if (compiled?.key === key) return compiled.program;
    compiled?.program.destroy();
    compiled = null;
    const logits = withSharedNodes(() =>
      network.model.trace(new TraceScope("running"), resident(X, [batch, ...shape], "f32"), topology).logits
    );
    const program = await compile(gpu, {
      label: "onlooker",
      outputs: { logits },
      memory: (source) => source.name === X ? memory : store.view(source.name),
      precision: config.engine.precision,
    });
    compiled = { key, program };
    return program;
  }

  return {
    async probabilities(examples) {
      const settled = seedsWith(trainer.assembly.topology, (mode) => mode === "blend" || mode === "fossil");
      const program = await programOf(settled);
      const count = examples.length / size, numbers = new Float32Array(batch * size);
      const alphas = Object.entries(trainer.alphas(0)).map(([slot, alpha]) => [`alpha/${slot}`, alpha]);
      const found = new Float32Array(count * classes);
      for (let from = 0; from < count; from += batch) {
        const some = examples.subarray(from * size, (from + batch) * size);
        numbers.set(some);
        gpu.device.queue.writeBuffer(memory.buffer, memory.offset, numbers);
        program.step.write(Object.fromEntries(alphas));
        replay(gpu, program.dispatches);
        const logits = await readFloats(gpu, program.outputs.logits, batch * classes);
        found.set(softmax(logits, classes).subarray(0, some.length / size * classes), from * classes);
      }
      return found;
    },
    destroy() {
      compiled?.program.destroy();
      gpu.allocator.free(memory);
    },
  };
}

/** Softmax of each row. */
function softmax(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    const values = logits.subarray(row, row + classes), most = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - most));
    const total = powers.reduce((sum, value) => sum + value, 0);
    result.set(powers.map((value) => value / total), row);
  }
  return result;
}
