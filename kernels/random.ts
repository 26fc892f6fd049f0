import bitsSource from "../shaders/random/bits.wgsl" with { type: "text" };
import dropoutSource from "../shaders/random/dropout.wgsl" with { type: "text" };
import { single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";

export type BitsAttrs = { readonly shape: readonly number[]; readonly stream: number };
export type DropoutAttrs = { readonly rate: number; readonly stream: number };

/** Random words below this drop their element. */
export function dropoutThreshold(rate: number): number {
  return Math.round(rate * 2 ** 32);
}

export const randomBitsVariants: readonly Variant<BitsAttrs>[] = [{
  id: "philox",
  fits: () => true,
  lower(call) {
    const size = sizeOf(call.output.shape);
    return single({
      name: "random/bits",
      source: bitsSource,
      constants: { SIZE: size, STREAM: call.attrs.stream },
      operands: [{ input: 0 }, "output"],
      workgroups: workgroupsFor(Math.ceil(size / 4), 64),
    });
  },
}];

export const dropoutVariants: readonly Variant<DropoutAttrs>[] = [{
  id: "philox",
  fits: () => true,
  lower(call) {
    const size = sizeOf(call.output.shape);
    const { rate, stream } = call.attrs;
    return single({
      name: "random/dropout",
      source: dropoutSource,
      constants: { SIZE: size, STREAM: stream, THRESHOLD: dropoutThreshold(rate), SCALE: 1 / (1 - rate) },
      operands: [{ input: 0 }, { input: 1 }, "output"],
      workgroups: workgroupsFor(Math.ceil(size / 4), 64),
    });
  },
}];
