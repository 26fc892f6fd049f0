import { conv2dCases } from "./conv2d.ts";
import { elementwiseCases } from "./elementwise.ts";
import { matmulCases } from "./matmul.ts";
import { normCases } from "./norm.ts";
import { parameterGradientCases } from "./parameter_gradients.ts";
import { reduceCases } from "./reduce.ts";
import { shapeCases } from "./shape.ts";
import { batchCases } from "./batch.ts";
import { blendCases } from "./blend.ts";
import { gatherCases } from "./gather.ts";
import { lossCases } from "./loss.ts";
import { poolCases } from "./pool.ts";
import { randomCases } from "./random.ts";
import { segmentCases } from "./segment.ts";
import type { OpCase } from "./types.ts";

/** The one list of op cases. */
export const allCases: readonly OpCase[] = [
  ...conv2dCases,
  ...elementwiseCases,
  ...matmulCases,
  ...normCases,
  ...parameterGradientCases,
  ...reduceCases,
  ...batchCases,
  ...blendCases,
  ...gatherCases,
  ...lossCases,
  ...poolCases,
  ...randomCases,
  ...segmentCases,
  ...shapeCases,
];
