import type { Feeds } from "../../engine/compile/reference.ts";
import type { Tensor } from "../../engine/graph/tensor.ts";
import type { Scope } from "../../engine/nn/scope.ts";

/** What an environment answers to an action. */
export interface Step<O> {
  readonly observation: O;
  readonly reward: number;
  /** The episode is over by its own rules. */
  readonly terminated: boolean;
  /** The episode was cut off: what would have followed still has a value. */
  readonly truncated: boolean;
}

/** Something to decide in, episode by episode. An action is an index. */
export interface Environment<O> {
  /** Begins an episode; the same seed gives the same one. */
  reset(seed: number): O | Promise<O>;
  step(action: number): Step<O> | Promise<Step<O>>;
}

/** Sizes that a batch is padded to; what there is besides these two is the network's affair. */
export interface BatchShape {
  /** Observations. */
  readonly batch: number;
  /** Actions of the observation that has the most. */
  readonly actions: number;
  readonly [size: string]: number;
}

/** What a policy network computes for a batch. Rows of padding have one legal action, the first. */
export interface PolicyOutputs {
  /** [B, A]; of actions that are not legal, any number. */
  readonly logits: Tensor;
  /** [B, A]: 1 where an action is legal, 0 elsewhere. */
  readonly mask: Tensor;
  /** [B]. */
  readonly values: Tensor;
}

/** A policy and its value function: an ordinary module of the engine, with its data as step inputs that it names. */
export interface PolicyNetwork<O> {
  readonly name: string;
  forward(scope: Scope, shape: BatchShape): PolicyOutputs;
  /** Padded sizes for these observations: few of them, so that few programs are compiled. */
  shapeFor(observations: readonly O[]): BatchShape;
  /**
   * Values of the step inputs. Depends on the observations and the normalisation alone.
   *
   * @param into What an earlier call gave for the same shape, which may be overwritten and given again.
   */
  encode(observations: readonly O[], shape: BatchShape, into?: Feeds): Feeds;
  /**
   * Takes observations into the running normalisation. What was acted on before must be encoded before, as encodings
   * change; in evaluation it is never called.
   */
  adapt?(observations: readonly O[]): void;
  /** The normalisation as JSON; `restore` of it makes a network that encodes identically. */
  save?(): unknown;
  restore?(state: unknown): void;
}
