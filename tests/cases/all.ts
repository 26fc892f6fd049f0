import { elementwiseCases } from "./elementwise.ts";
import { reduceCases } from "./reduce.ts";
import { shapeCases } from "./shape.ts";
import type { OpCase } from "./types.ts";

/** The one list of op cases. */
export const allCases: readonly OpCase[] = [
  ...elementwiseCases,
  ...reduceCases,
  ...shapeCases,
];
