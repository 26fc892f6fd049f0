import type { Blueprint } from "../../contracts/blueprint.ts";

/** One 3×3 convolution, after norm and ReLU so that it is no part of the linear layer that follows the slot. */
export const conv3: Blueprint = {
  name: "conv3",
  version: 1,
  about: "one 3x3 convolution",
  nodes: [
    { name: "norm", op: "groupNorm", inputs: ["h"] },
    { name: "active", op: "relu", inputs: ["norm"] },
    { name: "spatial", op: "conv", inputs: ["active"], kernel: 3, out: "C" },
  ],
};
