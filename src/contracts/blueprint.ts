/** Blueprints: what a seed computes, as data. Tezzeret checks them and turns them into graphs. */
import { z } from "zod";
import { nearest } from "../util/nearest.ts";
import type * as types from "./types/blueprint.ts";

export type { Fit } from "./types/blueprint.ts";

const name = z.string().regex(/^[a-z][A-Za-z0-9]*$/, "want a name in camelCase");
/** Name of an earlier node, or `h`, the activation at the slot. */
const ref = z.string().min(1);
const unary = { name, inputs: z.tuple([ref]) };
const binary = { name, inputs: z.tuple([ref, ref]) };

/** Channel counts are relative to C, the channels at the slot, rounded down. */
const Channels = z.enum(["C", "C/2", "C/4", "2C", "4C"]);
export type Channels = types.Channels;

const sized = {
  out: Channels.describe("Channels of the result, relative to those of the slot."),
  /** A fraction of C is at least this (and at most C). */
  min: z.int().min(1).max(4).optional().describe("Least number of channels."),
};
/** What a kernel can hold. */
const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;
const Kernel = z.union([z.literal(1), z.literal(3), z.literal(5)]);

const nodeTypes = [
  // weights
  z.strictObject({ op: z.literal("conv"), ...unary, ...sized, kernel: Kernel }),
  z.strictObject({ op: z.literal("depthwise"), ...unary, kernel: Kernel }),
  z.strictObject({ op: z.literal("dense"), ...unary, ...sized }),
  z.strictObject({ op: z.literal("groupNorm"), ...unary }),
  z.strictObject({ op: z.literal("scale"), ...unary }),
  z.strictObject({ op: z.literal("bias"), ...unary }),
  // activations
  z.strictObject({ op: z.literal("relu"), ...unary }),
  z.strictObject({ op: z.literal("gelu"), ...unary }),
  z.strictObject({ op: z.literal("silu"), ...unary }),
  z.strictObject({ op: z.literal("sigmoid"), ...unary }),
  z.strictObject({ op: z.literal("tanh"), ...unary }),
  z.strictObject({ op: z.literal("square"), ...unary }),
  // arithmetic
  z.strictObject({ op: z.literal("globalPool"), ...unary }),
  z.strictObject({ op: z.literal("multiply"), ...unary, by: z.number().min(-MAX_F32).max(MAX_F32) }),
  z.strictObject({ op: z.literal("add"), ...binary }),
  z.strictObject({ op: z.literal("mul"), ...binary }),
] as const;
const OPS = nodeTypes.map((type) => type.shape.op.value);

function unknownOp(node: unknown): string {
  const op = String((node as { op?: unknown } | null)?.op).slice(0, 40);
  const near = nearest(op, OPS);
  const cure = near === null ? "build it from those" : `did you mean "${near}"?`;
  return `want op one of ${OPS.join(", ")}, got ${op}; ${cure}`;
}

/** One operation of a blueprint. Weights start He-normal, scales at 1, biases at 0; convolutions keep [H, W]. */
export const BlueprintNode = z.discriminatedUnion("op", nodeTypes, {
  error: ({ input }) => unknownOp(input),
}) satisfies z.ZodType<types.BlueprintNode>;
export type BlueprintNode = types.BlueprintNode;
export type BlueprintOp = BlueprintNode["op"];

/** The branch f of a seed `y = h + α · γ ⊙ f(h)`: nodes in order, the last one is f(h). */
export const Blueprint = z.strictObject({
  name,
  version: z.int().positive(),
  about: z.string().min(1),
  /** Breaks training on purpose: for tests of the gates and the governor. */
  fault: z.literal(true).optional(),
  nodes: z.array(BlueprintNode).min(1).max(64),
}) satisfies z.ZodType<types.Blueprint>;
export type Blueprint = types.Blueprint;
