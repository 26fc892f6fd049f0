import type { View } from "../../../kernels/batch.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul } from "../ops/elementwise.ts";

/** Ways in which each image is seen: as it is; mirrored, too; and both moved by a pixel along either diagonal. */
const VIEWS: Readonly<Record<ViewCount, readonly (readonly [share: number, view: View])[]>> = {
  1: [[1, [0, 0, 0]]],
  2: [[1 / 2, [0, 0, 0]], [1 / 2, [0, 0, 1]]],
  6: [
    [1 / 4, [0, 0, 0]],
    [1 / 4, [0, 0, 1]],
    [1 / 8, [-1, -1, 0]],
    [1 / 8, [-1, -1, 1]],
    [1 / 8, [1, 1, 0]],
    [1 / 8, [1, 1, 1]],
  ],
};
export type ViewCount = 1 | 2 | 6;

/** Logits of each image: the mean over its views, those that are moved counting half (Jordan 2024, section 3.5). */
export function overViews(count: ViewCount, logitsOf: (view: View) => Tensor): Tensor {
  return VIEWS[count].map(([share, view]) => share === 1 ? logitsOf(view) : mul(share, logitsOf(view)))
    .reduce((sum, logits) => add(sum, logits));
}
