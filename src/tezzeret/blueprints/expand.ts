import type { Blueprint } from "../../contracts/blueprint.ts";

/** A hidden layer twice as wide as the activation: growth in width beside the host's own channels, which stay as many. */
export const expand: Blueprint = {
  name: "expand",
  version: 1,
  about: "3x3 convolution up to 2C, 1x1 back",
  nodes: [
    { name: "up", op: "conv", inputs: ["h"], kernel: 3, out: "2C" },
    { name: "norm", op: "groupNorm", inputs: ["up"] },
    { name: "active", op: "relu", inputs: ["norm"] },
    { name: "down", op: "conv", inputs: ["active"], kernel: 1, out: "C" },
  ],
};
