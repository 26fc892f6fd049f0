/** A network as controllers see it: what it computes and how its parts are joined, and nothing of what they are called. */

/** What a node does, in the main: one of `OP_CLASSES`. */
export type OpClass =
  | "input"
  | "conv"
  | "depthwise"
  | "product"
  | "norm"
  | "pool"
  | "activation"
  | "sum"
  | "slot"
  | "other";

/** Kinds of nodes. The position is the code that policies know a kind by; new ones go to the end. */
export const OP_CLASSES = [
  "input", // what examples come in by
  "conv",
  "depthwise", // convolution in groups
  "product", // of matrices
  "norm",
  "pool", // also any mean, sum or maximum over positions
  "activation",
  "sum", // of two activations or more
  "slot", // where a seed may sit
  "other",
] as const satisfies readonly OpClass[];

/** One operation on activations, with the scalings, biases and changes of shape that follow it. */
export interface GraphNode {
  /** Of its main operation. */
  readonly op: OpClass;
  /** Trainable numbers. */
  readonly params: number;
  /** Of a forward pass, for one example. */
  readonly flops: number;
  /** Of its result. */
  readonly channels: number;
  /** Positions of its result: height times width of an image, 1 of a vector. */
  readonly pixels: number;
  /** Longest way from an input, as a share of the longest there is: 0 to 1. */
  readonly depth: number;
}

/** Nodes, each after those that feed it. */
export interface ModelGraph {
  /** In order of computation. */
  readonly nodes: readonly GraphNode[];
  /** Indices of nodes: data flows from the first to the second. */
  readonly edges: readonly (readonly [number, number])[];
  /** Node of every slot. */
  readonly slots: Readonly<Record<string, number>>;
}

/** What a seed would be in a slot. */
export interface SeedTraits {
  /** Trainable numbers. */
  readonly params: number;
  /** Of a forward pass, for one example. */
  readonly flops: number;
  /** How many nodes of each kind; a kind that is absent has none. */
  readonly ops: Readonly<Partial<Record<OpClass, number>>>;
}

/** Seeds that could be sown, by slot and blueprint; what does not fit is absent. */
export type Candidates = Readonly<Record<string, Readonly<Record<string, SeedTraits>>>>;
