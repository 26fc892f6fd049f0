import type { Blueprint } from "../../contracts/blueprint.ts";

/** A million times the activation: harmless at birth, beyond all bounds after the first step. */
export const explode: Blueprint = {
  name: "explode",
  version: 1,
  about: "fault: huge gradients",
  fault: true,
  nodes: [{ name: "huge", op: "multiply", inputs: ["h"], by: 1e6 }],
};
