import { type Feeds, prepareEvaluation } from "../../engine/compile/reference.ts";
import { withSharedNodes } from "../../engine/graph/tensor.ts";
import { TraceScope } from "../../engine/nn/scope.ts";
import type { BatchShape, PolicyNetwork } from "./types.ts";

/** What a policy says of a batch, in arrays that the next call overwrites. */
export interface Opinion {
  readonly shape: BatchShape;
  /** [B, A]; of actions that are not legal, any number. */
  readonly logits: ArrayLike<number>;
  /** [B]. */
  readonly values: ArrayLike<number>;
}

/** Shapes of which the graph is kept. */
const MOST_KEPT = 32;

/**
 * A policy on the CPU with fixed weights, by their names: for acting, where a device's answer would take longer. The graph of
 * a shape is traced once.
 */
export function createActor<O>(
  network: PolicyNetwork<O>,
  weights: Feeds,
): (observations: readonly O[]) => Opinion {
  interface Prepared {
    readonly run: ReturnType<typeof prepareEvaluation>;
    /** Of the last call: what lies outside the heap makes its collector stop for long. */
    feeds?: Feeds;
  }
  const kept = new Map<string, Prepared>();

  function prepared(shape: BatchShape): Prepared {
    const key = JSON.stringify(shape);
    let one = kept.get(key);
    if (!one) {
      const { logits, values } = withSharedNodes(() => network.forward(new TraceScope(), shape));
      one = { run: prepareEvaluation([logits, values], weights) };
      if (kept.size === MOST_KEPT) kept.delete(kept.keys().next().value!);
      kept.set(key, one);
    }
    return one;
  }

  return (observations) => {
    const shape = network.shapeFor(observations);
    const one = prepared(shape);
    one.feeds = network.encode(observations, shape, one.feeds);
    const [logits, values] = one.run(one.feeds);
    return { shape, logits, values };
  };
}
