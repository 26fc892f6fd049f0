import type { OpCase } from "./types.ts";

const COUNT = 6;

interface Setting {
  readonly image: readonly [number, number, number];
  readonly n: number;
  readonly crop?: number;
  readonly fill?: "zeros" | "reflect";
  readonly flip?: boolean | "alternating";
  readonly epoch?: number;
  readonly view?: readonly number[];
}

const settings: readonly Setting[] = [
  { image: [4, 4, 3], n: 5 },
  { image: [3, 5, 1], n: 3 },
  { image: [4, 5, 3], n: 4, view: [1, -1, 0] },
  { image: [4, 3, 1], n: 3, view: [-2, 2, 1] },
  { image: [4, 4, 3], n: 8, crop: 2, flip: true },
  { image: [3, 5, 1], n: 7, crop: 1 },
  { image: [3, 3, 4], n: 6, flip: true },
  { image: [4, 5, 3], n: 9, crop: 2, fill: "reflect", flip: "alternating", epoch: 5 },
  { image: [4, 4, 1], n: 8, crop: 3, fill: "reflect", flip: true },
];

export const batchCases: readonly OpCase[] = settings.map((setting) => {
  const { image, n, crop = 0, fill = "zeros", flip = false, epoch = 1, view = [0, 0, 0] } = setting;
  const [height, width, channels] = image;
  const words = Math.ceil(COUNT * height * width * channels / 4);
  const drawn = [
    { shape: [n, 3], dtype: "u32", fill: { below: 4294967295 } },
    { shape: [2], dtype: "u32", fill: { below: 100 } },
  ] as const;
  return {
    name: `loadImages: ${n} of [${image}], crop ${crop} of ${fill}, flip ${flip}, view ${view}`,
    op: "loadImages",
    inputs: [
      { shape: [words], dtype: "u32", fill: { below: 4294967295 } },
      { shape: [n], dtype: "u32", fill: { below: COUNT } },
      ...(crop > 0 || flip !== false ? drawn : []),
    ],
    attrs: {
      height,
      width,
      channels,
      mean: [0.5, 0.4, 0.3, 0.2].slice(0, channels),
      std: [0.25, 0.2, 0.3, 0.1].slice(0, channels),
      crop,
      fill,
      flip,
      epoch,
      view,
    },
  };
});
