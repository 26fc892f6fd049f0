import type { Blueprint, BlueprintNode } from "../../contracts/blueprint.ts";

/** Enough to overflow float64, and so the references too. */
const SQUARES = 4;

/** Infinity wherever h is not 0, which γ = 0 turns into NaN at the first step, on every device. */
export const nan: Blueprint = {
  name: "nan",
  version: 1,
  about: "fault: NaN at once",
  fault: true,
  nodes: [
    { name: "square0", op: "multiply", inputs: ["h"], by: 1e38 },
    ...Array.from(
      { length: SQUARES },
      (_, k): BlueprintNode => ({ name: `square${k + 1}`, op: "square", inputs: [`square${k}`] }),
    ),
    { name: "scaled", op: "scale", inputs: [`square${SQUARES}`] },
  ],
};
