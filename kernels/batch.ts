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
  readonly fill: Fill;
  readonly flip: Flip;
  /** Examples of an epoch, where `flip` is alternating. */
  readonly epoch: number;
  /** The same change to every image, where none is drawn. */
  readonly view: View;
};

/** What comes in where an image is moved: zeros after normalisation, or its own pixels, mirrored at the edge. */
export type Fill = "zeros" | "reflect";

/** Never; half of the images, drawn each time; or half in the first epoch, the others in the next, and so on in turns. */
export type Flip = boolean | "alternating";

/** [down, right, mirrored]: the image as seen from so many pixels further, its edges reflecting; 1 where it is mirrored then. */
export type View = readonly [down: number, right: number, mirrored: 0 | 1];

/** (byte / 255 − mean) / std as byte · scale + shift. */
export function normalisation({ mean, std }: ImagesAttrs): { scale: number[]; shift: number[] } {
  return { scale: std.map((s) => 1 / (255 * s)), shift: std.map((s, c) => -mean[c] / s) };
}

export const loadImagesVariants: readonly Variant<ImagesAttrs>[] = [{
  id: "pixels",
  fits: () => true,
  lower({ inputs, attrs }) {
    const [n] = inputs[1].shape;
    const { height, width, channels, crop, fill, flip, epoch, view } = attrs;
    const { scale, shift } = normalisation(attrs);
    const augmented = inputs.length > 2;
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
        ...(augmented
          ? {
            CROP: crop,
            REFLECT: Number(fill === "reflect"),
            FLIP: Number(flip === true),
            EPOCH: flip === "alternating" ? epoch : 0,
          }
          : { DOWN: view[0], RIGHT: view[1], MIRRORED: view[2] }),
      },
      operands: [...inputs.map((_, input) => ({ input })), "output"],
      workgroups: workgroupsFor(n * height * width, 64),
    });
  },
}];
