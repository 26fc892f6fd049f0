import type { Blueprint } from "../../contracts/blueprint.ts";

/**
 * Squeeze and excitation (Hu et al. 2018) around 1: h · (2σ(2z) − 1) = h · tanh(z), z from the image-wide means. SiLU, as a
 * few ReLUs could all be dead at birth.
 */
export const se: Blueprint = {
  name: "se",
  version: 1,
  about: "squeeze and excitation: gates channels by image-wide means",
  nodes: [
    { name: "means", op: "globalPool", inputs: ["h"] },
    { name: "squeeze", op: "dense", inputs: ["means"], out: "C/4", min: 4 },
    { name: "active", op: "silu", inputs: ["squeeze"] },
    { name: "excite", op: "dense", inputs: ["active"], out: "C" },
    { name: "gate", op: "tanh", inputs: ["excite"] },
    { name: "gated", op: "mul", inputs: ["h", "gate"] },
  ],
};
