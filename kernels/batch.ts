import imagesSource from "../shaders/batch/images.wgsl" with { type: "text" };
import augmentedSource from "../shaders/batch/images_augmented.wgsl" with { type: "text" };
import { single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";

export type ImagesAttrs = {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Per channel, of bytes divided by 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly crop: number;
  readonly flip: boolean;
};

/** (byte / 255 − mean) / std as byte · scale + shift. */
export function normalisation({ mean, std }: ImagesAttrs): { scale: number[]; shift: number[] } {
  return { scale: std.map((s) => 1 / (255 * s)), shift: std.map((s, c) => -mean[c] / s) };
}

export const loadImagesVariants: readonly Variant<ImagesAttrs>[] = [{
  id: "pixels",
  fits: () => true,
  lower({ inputs, attrs }) {
    const [n] = inputs[1].shape;
    const { height, width, channels, crop, flip } = attrs;
    const { scale, shift } = normalisation(attrs);
    const augmented = inputs.length === 3;
    return single({
      name: augmented ? "batch/images_augmented" : "batch/images",
      source: augmented ? augmentedSource : imagesSource,
      constants: {
        N: n,
        H: height,
        W: width,
        C: channels,
        ...Object.fromEntries(scale.map((value, c) => [`SCALE_${c}`, value])),
        ...Object.fromEntries(shift.map((value, c) => [`SHIFT_${c}`, value])),
        ...(augmented ? { CROP: crop, FLIP: flip ? 1 : 0 } : {}),
      },
      operands: [...inputs.map((_, input) => ({ input })), "output"],
      workgroups: workgroupsFor(n * height * width, 64),
    });
  },
}];
