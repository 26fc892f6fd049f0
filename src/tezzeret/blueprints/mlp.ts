import type { Blueprint } from "../../contracts/blueprint.ts";

/** The feed-forward half of a transformer block, for slots without width and height. */
export const mlp: Blueprint = {
  name: "mlp",
  version: 1,
  about: "dense layers up to 2C and back",
  nodes: [
    { name: "norm", op: "groupNorm", inputs: ["h"] },
    { name: "up", op: "dense", inputs: ["norm"], out: "2C" },
    { name: "active", op: "gelu", inputs: ["up"] },
    { name: "down", op: "dense", inputs: ["active"], out: "C" },
  ],
};
