import { batchOps } from "./batch.ts";
import { blendOps } from "./blend.ts";
import { gatherOps } from "./gather.ts";
import { lossOps } from "./loss.ts";
import { poolOps } from "./pool.ts";
import { randomOps } from "./random.ts";
import type { Op } from "../graph/op.ts";
import { conv2dOps } from "./conv2d.ts";
import { elementwiseOps } from "./elementwise.ts";
import { matmulOps } from "./matmul.ts";
import type { OpName } from "./names.ts";
import { maxOps } from "./max.ts";
import { normOps } from "./norm.ts";
import { reduceOps } from "./reduce.ts";
import { segmentOps } from "./segment.ts";
import { shapeOps } from "./shape.ts";

/** Every op of the engine, under its name. */
export const opTable: Readonly<Record<OpName, Op>> = {
  ...elementwiseOps,
  ...maxOps,
  ...normOps,
  ...reduceOps,
  ...matmulOps,
  ...conv2dOps,
  ...batchOps,
  ...blendOps,
  ...gatherOps,
  ...lossOps,
  ...poolOps,
  ...randomOps,
  ...segmentOps,
  ...shapeOps,
} satisfies Record<OpName, unknown> as unknown as Record<OpName, Op>;
