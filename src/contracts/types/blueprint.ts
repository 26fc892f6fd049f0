/** What a seed computes, as data. Schemas in `contracts/blueprint.ts` check the same. */

/** Channels relative to C, those at the slot; fractions are rounded down. */
export type Channels = "C" | "C/2" | "C/4" | "2C" | "4C";

/** A node of one operand: its name in camelCase, and what it reads, an earlier node or `h`, the activation at the slot. */
export interface UnaryNode<Op extends string> {
  /** What it computes. */
  op: Op;
  /** In camelCase; starts the names of its parameters. */
  name: string;
  /** Name of an earlier node, or `h`. */
  inputs: [string];
}

/** A node of two operands of one shape, of which one may have a size of 1 where the other has more. */
export interface BinaryNode<Op extends string> {
  /** What it computes. */
  op: Op;
  /** In camelCase. */
  name: string;
  /** Names of earlier nodes, or `h`. */
  inputs: [string, string];
}

/** How many channels a node's result has. */
export interface SizedOut {
  /** Relative to those of the slot. */
  out: Channels;
  /** A fraction of C is at least this (1 to 4), and at most C. Default 1. */
  min?: number | undefined;
}

/**
 * One operation of a blueprint, on [H, W, C] or [C]. Weights start He-normal, scales at 1, biases at 0; convolutions keep
 * [H, W]. `dense` and the norms act on the last dimension; `globalPool` is the mean over [H, W], kept as [1, 1, C].
 */
export type BlueprintNode =
  | UnaryNode<"conv"> & SizedOut & { kernel: 1 | 3 | 5 }
  | UnaryNode<"depthwise"> & { kernel: 1 | 3 | 5 }
  | UnaryNode<"dense"> & SizedOut
  | UnaryNode<"groupNorm">
  | UnaryNode<"scale">
  | UnaryNode<"bias">
  | UnaryNode<"relu">
  | UnaryNode<"gelu">
  | UnaryNode<"silu">
  | UnaryNode<"sigmoid">
  | UnaryNode<"tanh">
  | UnaryNode<"square">
  | UnaryNode<"globalPool">
  | UnaryNode<"multiply"> & { by: number }
  | BinaryNode<"add">
  | BinaryNode<"mul">;

/** The branch f of a seed `y = h + α · γ ⊙ f(h)`: nodes in order, the last one is f(h), of the shape of h. */
export interface Blueprint {
  /** In camelCase. */
  name: string;
  /** From 1; another number is another blueprint to the store of what was validated. */
  version: number;
  /** One line for people. */
  about: string;
  /** Breaks training on purpose: for tests of the gates and the governor. */
  fault?: true | undefined;
  /** 1 to 64 nodes, each after those that it reads. */
  nodes: BlueprintNode[];
}

/** Whether a blueprint may sit in a slot and what it costs there, γ and the blend included. */
export type Fit =
  | {
    /** It may. */
    readonly fits: true;
    /** Trainable numbers. */
    readonly parameters: number;
    /** Forward FLOPs for one example. */
    readonly flops: number;
  }
  | {
    /** It may not. */
    readonly fits: false;
    /** Why. */
    readonly reason: string;
  };
