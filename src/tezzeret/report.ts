import type { Precision } from "../engine/compile/storage.ts";
import type { AdapterDescription } from "../engine/gpu/device.ts";
import type { Shape } from "../util/shape.ts";
import type { Hash } from "../urza/store.ts";
import type { PhaseTime } from "./phases.ts";

/** One kernel of a blueprint. */
export interface KernelArtefact {
  /** `family/file`. */
  readonly name: string;
  /** Of the final WGSL text; Urza keeps the text under it. */
  readonly sha256: Hash;
  /** Dispatches of it in one forward and backward pass of a batch; 0 where only the comparison on the CPU takes it. */
  readonly dispatches: number;
}

/** What was compiled for what: its hash is the key of the kernel record, and the record keeps it as `meta`. */
export interface KernelManifest {
  readonly blueprint: string;
  /** Of the blueprint's canonical JSON; Urza keeps that under it. */
  readonly ir: Hash;
  /** Shape of the slot, one example. */
  readonly shape: Shape;
  /** Shape at which the kernels are compared with the float64 references, batch included: a corner of a large slot. */
  readonly checkedShape: Shape;
  /** Shape at which they are timed, batch included. */
  readonly batchShape: Shape;
  readonly precision: Precision;
  readonly adapter: AdapterDescription;
  /** Version of Esper. */
  readonly version: string;
  readonly kernels: readonly KernelArtefact[];
}

/** Distance from what was wanted: the largest difference, and the same over the largest magnitude wanted. */
export interface Deviation {
  readonly absolute: number;
  readonly relative: number;
}

/** What a kernel costs in one forward and backward pass of a batch. */
export interface KernelCost {
  readonly sha256: Hash;
  /** Median time of all its dispatches; null where the device has no clock. */
  readonly p50Micros: number | null;
  /** Of its operands, each read or written once. */
  readonly bytes: number;
  readonly flops: number;
}

/** How far a kernel is off where it is run: the worst of its results. */
export interface KernelError extends Deviation {
  readonly sha256: Hash;
  /** What it is compared with: the float64 references at the checked shape, or the reference pipeline at the batch's. */
  readonly against: "float64" | "reference";
}

/** What one pass of a batch costs by a pipeline. */
export interface PipelineCost {
  readonly dispatches: number;
  readonly p50Micros: number | null;
  /** Moved to and from memory. */
  readonly bytes: number;
  /** Held for intermediates and results. */
  readonly memoryBytes: number;
}

/** What was measured. */
export interface Validation {
  /** Forward FLOPs of one example at the slot's shape, the blend included. */
  readonly flops: number;
  /** γ included. */
  readonly parameters: number;
  /** Whether the blueprint's own mathematics is finite: false only for one that is meant to break training. */
  readonly finite: boolean;
  /** Largest |y − h| at γ = 0, over α = 0, ½ and 1 and all elements where f(h) is finite. */
  readonly noOpError: number;
  /** Tensors that a newborn seed cannot train: none, but for one that is meant to break training. */
  readonly stillborn: readonly string[];
  /** Of the gradients to central differences, both in float64; null where they are not finite. */
  readonly gradientError: number | null;
  /** Largest relative error allowed of the kernels. */
  readonly tolerance: number;
  /**
   * Of `y` and of every gradient, by name, at the checked shape: kernels to the float64 references on the same inputs, which
   * are what the kernels before have left in memory.
   */
  readonly errors: Readonly<Record<string, Deviation>>;
  /**
   * The same by kernel: of every result that it leaves in memory. Not of those whose numbers are not finite. In the order of
   * the manifest's kernels.
   */
  readonly kernelErrors: readonly KernelError[];
  /** Of `y` and the gradients as a whole, over their norms: to float64 references that go their own way. The worst of all. */
  readonly drift: number;
  /** As `errors`, of the fused pipeline to the reference pipeline, the worst of all, at the batch's shape; null if not done. */
  readonly batchError: Deviation | null;
  readonly fused: PipelineCost;
  /** Null where it was not compiled: on software adapters and on the training thread that takes too long. */
  readonly reference: PipelineCost | null;
  /** In the order of the manifest's kernels, those that a batch takes. */
  readonly costs: readonly KernelCost[];
  /** Multiplications and additions that the device has spent on all this. */
  readonly spentFlops: number;
  /** Where the time went, in order of their ends. */
  readonly phases: readonly PhaseTime[];
}

/** What `admit` knows of a blueprint in a slot. */
export interface KernelReport extends KernelManifest, Validation {
  /** SHA-256 of the manifest: name of the kernel record. */
  readonly key: Hash;
  readonly elapsedMs: number;
}
