import type { OpCase } from "./types.ts";

const COUNT = 6;

const settings: readonly { image: [number, number, number]; n: number; crop: number; flip: boolean }[] = [
  { image: [4, 4, 3], n: 5, crop: 0, flip: false },
  { image: [3, 5, 1], n: 3, crop: 0, flip: false },
  { image: [4, 4, 3], n: 8, crop: 2, flip: true },
  { image: [3, 5, 1], n: 7, crop: 1, flip: false },
  { image: [3, 3, 4], n: 6, crop: 0, flip: true },
];

export const batchCases: readonly OpCase[] = settings.map(({ image, n, crop, flip }) => {
  const [height, width, channels] = image;
  const words = Math.ceil(COUNT * height * width * channels / 4);
  const random = { shape: [n, 3], dtype: "u32", fill: { below: 4294967295 } } as const;
  return {
    name: `loadImages: ${n} of [${image}], crop ${crop}${flip ? ", flip" : ""}`,
    op: "loadImages",
    inputs: [
      { shape: [words], dtype: "u32", fill: { below: 4294967295 } },
      { shape: [n], dtype: "u32", fill: { below: COUNT } },
      ...(crop > 0 || flip ? [random] : []),
    ],
    attrs: {
      height,
      width,
      channels,
      mean: [0.5, 0.4, 0.3, 0.2].slice(0, channels),
      std: [0.25, 0.2, 0.3, 0.1].slice(0, channels),
      crop,
      flip,
    },
  };
});
