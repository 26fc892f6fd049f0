import type { Blueprint } from "../../contracts/blueprint.ts";

/** A linear map of low rank, on the normalised activation. */
export const lowrank: Blueprint = {
  name: "lowrank",
  version: 1,
  about: "1x1 convolutions down to C/4 and up again",
  nodes: [
    { name: "norm", op: "groupNorm", inputs: ["h"] },
    { name: "down", op: "conv", inputs: ["norm"], kernel: 1, out: "C/4", min: 2 },
    { name: "up", op: "conv", inputs: ["down"], kernel: 1, out: "C" },
  ],
};
