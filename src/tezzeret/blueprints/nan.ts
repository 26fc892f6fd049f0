import type { Blueprint } from "../../contracts/blueprint.ts";

/** NaN from the first step: the logarithm of numbers below 0. */
export const nan: Blueprint = {
  name: "nan",
  version: 1,
  about: "fault: NaN at once",
  fault: true,
  nodes: [
    { name: "squared", op: "square", inputs: ["h"] },
    { name: "negative", op: "multiply", inputs: ["squared"], by: -1 },
    { name: "invalid", op: "log", inputs: ["negative"] },
    { name: "scaled", op: "scale", inputs: ["invalid"] },
  ],
};
