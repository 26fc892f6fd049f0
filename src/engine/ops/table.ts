import type { Op } from "../graph/op.ts";
import { elementwiseOps } from "./elementwise.ts";
import type { OpName } from "./names.ts";
import { reduceOps } from "./reduce.ts";
import { shapeOps } from "./shape.ts";

/** Every op of the engine, under its name. */
export const opTable: Readonly<Record<OpName, Op>> = {
  ...elementwiseOps,
  ...reduceOps,
  ...shapeOps,
} satisfies Record<OpName, unknown> as unknown as Record<OpName, Op>;
