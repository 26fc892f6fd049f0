import type { Blueprint } from "../../contracts/blueprint.ts";

/** The bottleneck of He et al. 2015. */
export const bottleneck: Blueprint = {
  name: "bottleneck",
  version: 1,
  about: "1x1 down to C/2, 3x3, 1x1 up",
  nodes: [
    { name: "down", op: "conv", inputs: ["h"], kernel: 1, out: "C/2", min: 4 },
    { name: "norm1", op: "groupNorm", inputs: ["down"] },
    { name: "active1", op: "relu", inputs: ["norm1"] },
    { name: "spatial", op: "conv", inputs: ["active1"], kernel: 3, out: "C/2", min: 4 },
    { name: "norm2", op: "groupNorm", inputs: ["spatial"] },
    { name: "active2", op: "relu", inputs: ["norm2"] },
    { name: "up", op: "conv", inputs: ["active2"], kernel: 1, out: "C" },
  ],
};
