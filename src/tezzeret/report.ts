import type { AdapterDescription } from "../engine/gpu/device.ts";
import type { Shape } from "../util/shape.ts";
import type { Hash } from "../urza/store.ts";

/** One kernel of a blueprint. */
export interface KernelArtefact {
  /** `family/file`. */
  readonly name: string;
  /** Of the final WGSL text; Urza keeps the text under it. */
  readonly sha256: Hash;
  /** Dispatches of it in one forward and backward pass. */
  readonly dispatches: number;
}

/** What was compiled for what: its hash is the key of the kernel record, and the record keeps it as `meta`. */
export interface KernelManifest {
  readonly blueprint: string;
  /** Of the blueprint's canonical JSON; Urza keeps that under it. */
  readonly ir: Hash;
  /** Shape of the slot, one example. */
  readonly shape: Shape;
  /** Shape at which the kernels were built and compared, batch included: large slots are cut to a corner. */
  readonly checkedShape: Shape;
  readonly dtype: "f32";
  readonly adapter: AdapterDescription;
  /** Version of Esper. */
  readonly version: string;
  readonly kernels: readonly KernelArtefact[];
}

/** Distance from the float64 reference: the largest difference, and the same over the largest magnitude wanted. */
export interface ReferenceError {
  readonly absolute: number;
  readonly relative: number;
}

/** What was measured on the device. */
export interface Validation {
  /** In one forward and backward pass at the checked shape. */
  readonly dispatches: number;
  /** Forward FLOPs of one example at the slot's shape, the blend included. */
  readonly flops: number;
  /** γ included. */
  readonly parameters: number;
  /** Whether the blueprint's own mathematics is finite: false only for one that is meant to break training. */
  readonly finite: boolean;
  /** Largest |y − h| at γ = 0, over α = 0, ½ and 1 and all elements where f(h) is finite. */
  readonly noOpError: number;
  /** Largest relative error allowed. */
  readonly tolerance: number;
  /** Of `y` and of every gradient, by name. */
  readonly errors: Readonly<Record<string, ReferenceError>>;
  readonly elapsedMs: number;
}

/** What `admit` knows of a blueprint in a slot. */
export interface KernelReport extends KernelManifest, Validation {
  /** SHA-256 of the manifest: name of the kernel record. */
  readonly key: Hash;
}
