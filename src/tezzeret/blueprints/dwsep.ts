import type { Blueprint } from "../../contracts/blueprint.ts";

/** Depthwise separable convolution: 3×3 within channels, then a mix of channels. */
export const dwsep: Blueprint = {
  name: "dwsep",
  version: 1,
  about: "depthwise 3x3 and 1x1 convolution",
  nodes: [
    { name: "spatial", op: "depthwise", inputs: ["h"], kernel: 3 },
    { name: "norm", op: "groupNorm", inputs: ["spatial"] },
    { name: "active", op: "relu", inputs: ["norm"] },
    { name: "mix", op: "conv", inputs: ["active"], kernel: 1, out: "C" },
  ],
};
