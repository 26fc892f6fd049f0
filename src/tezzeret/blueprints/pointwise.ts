import type { Blueprint } from "../../contracts/blueprint.ts";

/** Mixes channels at each position. */
export const pointwise: Blueprint = {
  name: "pointwise",
  version: 1,
  about: "two 1x1 convolutions",
  nodes: [
    { name: "mix", op: "conv", inputs: ["h"], kernel: 1, out: "C" },
    { name: "norm", op: "groupNorm", inputs: ["mix"] },
    { name: "active", op: "relu", inputs: ["norm"] },
    { name: "project", op: "conv", inputs: ["active"], kernel: 1, out: "C" },
  ],
};
