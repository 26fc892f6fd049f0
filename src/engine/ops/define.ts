import type { Attrs } from "../gpu/kernel.ts";
import type { Op } from "../graph/op.ts";
import type { OpName } from "./names.ts";

/** Declares an op. Its name must have a line in `table.ts`; the compiler refuses it otherwise. */
export function defineOp<A extends Attrs>(op: Op<A, OpName>): Op<A, OpName> {
  return op;
}
