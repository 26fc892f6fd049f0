import type { Blueprint } from "../../contracts/blueprint.ts";

/** The basic block of He et al. 2015. */
export const basic: Blueprint = {
  name: "basic",
  version: 1,
  about: "two 3x3 convolutions",
  nodes: [
    { name: "first", op: "conv", inputs: ["h"], kernel: 3, out: "C" },
    { name: "norm", op: "groupNorm", inputs: ["first"] },
    { name: "active", op: "relu", inputs: ["norm"] },
    { name: "second", op: "conv", inputs: ["active"], kernel: 3, out: "C" },
  ],
};
