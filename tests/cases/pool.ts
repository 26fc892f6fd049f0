import type { OpCase } from "./types.ts";

const settings: readonly { name: string; image: number[]; kernel: number; stride: number }[] = [
  { name: "2×2", image: [2, 4, 6, 8], kernel: 2, stride: 2 },
  { name: "2×2, odd image and channels", image: [2, 5, 7, 3], kernel: 2, stride: 2 },
  { name: "3×3 every 2", image: [1, 7, 9, 4], kernel: 3, stride: 2 },
  { name: "3×3 every 2, odd", image: [1, 8, 6, 5], kernel: 3, stride: 2 },
  { name: "2×2 every 3", image: [2, 7, 8, 4], kernel: 2, stride: 3 },
  { name: "2×2 every 1", image: [1, 4, 3, 2], kernel: 2, stride: 1 },
  { name: "the whole image", image: [3, 4, 4, 4], kernel: 4, stride: 4 },
];

export const poolCases: readonly OpCase[] = [
  ...settings.flatMap(({ name, image, kernel, stride }): OpCase[] => {
    const attrs = { kernel, stride };
    const [n, height, width, c] = image;
    const count = (size: number) => Math.floor((size - kernel) / stride) + 1;
    const pooled = [n, count(height), count(width), c];
    return [
      { name: `maxPool2d: ${name}`, op: "maxPool2d", inputs: [{ shape: image, fill: "distinct" }], attrs },
      {
        name: `maxPool2dGradient: ${name}`,
        op: "maxPool2dGradient",
        inputs: [{ shape: pooled }, { shape: image, fill: "distinct" }],
        attrs,
        terms: kernel ** 2,
      },
      {
        name: `averagePool2d: ${name}`,
        op: "averagePool2d",
        inputs: [{ shape: image }],
        attrs,
        terms: kernel ** 2,
      },
      {
        name: `averagePool2dGradient: ${name}`,
        op: "averagePool2dGradient",
        inputs: [{ shape: pooled }],
        attrs: { ...attrs, height, width },
        terms: kernel ** 2,
      },
    ];
  }),
  ...[[2, 2], [3, 1]].map(([kernel, stride]): OpCase => ({
    name: `maxPool2dGradient: the first of equals, ${kernel}×${kernel} every ${stride}`,
    op: "maxPool2dGradient",
    inputs: [
      { shape: [1, (4 - kernel) / stride + 1, (4 - kernel) / stride + 1, 1] },
      { shape: [1, 4, 4, 1], fill: [0, 1, 2, 2, 1, 1, 2, 2, 0, 0, -1, 3, 0, 0, 3, 3] },
    ],
    attrs: { kernel, stride },
  })),
];
