/** What `kernels/` implements: how one op, for given shapes and a given device, becomes dispatches. */
import type { Shape } from "../../util/shape.ts";

/** Element type of a tensor. Labels, indices and packed bytes are u32. */
export type DType = "f32" | "u32";

/** What a tensor is, apart from its numbers. */
export interface TensorType {
  /** Sizes, outermost dimension first; [] is a scalar. */
  readonly shape: Shape;
  /** Of its elements. */
  readonly dtype: DType;
  /** How a compiled program keeps the numbers, where not as they are. Kernels see f32 all the same; variants may differ. */
  readonly stored?: "f16";
}

/** Static arguments of an op: what is not a tensor. */
export type Attrs = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** One application of an op, as far as kernels, FLOP counts and reference implementations need to know it. */
export interface Call<A extends Attrs = Attrs> {
  /** Operands. */
  readonly inputs: readonly TensorType[];
  /** The result. */
  readonly output: TensorType;
  /** What is not a tensor. */
  readonly attrs: A;
}

/** What a kernel may be chosen by. */
export interface DeviceTraits {
  /** A CPU behind the API: no workgroup memory, few and wide invocations, at most ~300 statements a kernel. */
  readonly software: boolean;
  /** WebGPU features that are on. */
  readonly features: ReadonlySet<string>;
  /** Memory that a workgroup may share, in bytes. */
  readonly maxWorkgroupBytes: number;
  /** Of a buffer, and of what a kernel can bind of one. */
  readonly maxBufferBytes: number;
}

/** What stands at one binding: an input by index, the output, or a scratch buffer by index. */
export type Operand = { readonly input: number } | { readonly scratch: number } | "output";

/** One dispatch. Binding k of group 0 is `operands[k]`; access (read or read_write) is read off the WGSL. */
export interface Dispatch {
  /** `family/file`, as in profiles. */
  readonly name: string;
  /** WGSL, whose entry point is `main`. */
  readonly source: string;
  /** Values for the `override` constants of the source. Booleans are 0 or 1. */
  readonly constants: Readonly<Record<string, number>>;
  /** What is bound, in order of binding. */
  readonly operands: readonly Operand[];
  /** Workgroups in x, y and z. */
  readonly workgroups: readonly [number, number, number];
}

/** How one application of an op is computed. */
export interface Lowering {
  /** In order. */
  readonly dispatches: readonly Dispatch[];
  /** Sizes of scratch buffers in bytes. */
  readonly scratchBytes: readonly number[];
  /** Where the last dispatch only adds up what those before wrote to the first scratch buffer. */
  readonly sum?: PartSum;
}

/** A result in parts: `splits` times `size` vec4s, which `lanes` invocations for each vec4 add up. */
export interface PartSum {
  /** vec4s of the result. */
  readonly size: number;
  /** Parts of each. */
  readonly splits: number;
  /** Invocations that add up one vec4. */
  readonly lanes: number;
}

/** One way to compute an op. Variants are ordered; the first that fits is the default. All that fit must be right. */
export interface Variant<A extends Attrs = Attrs> {
  /** Unique within the op; files of tuned choices name it. */
  readonly id: string;
  /** Whether it computes this application right on such a device. */
  fits(call: Call<A>, device: DeviceTraits): boolean;
  /** Its dispatches; asked for only where it fits. */
  lower(call: Call<A>, device: DeviceTraits): Lowering;
}

const MAX_WORKGROUPS = 65_535;

/**
 * Workgroups for `threads` invocations in a line, folded into two dimensions where there are many. Kernels find their
 * index as `(workgroup_id.y * num_workgroups.x + workgroup_id.x) * SIZE + local_invocation_index`.
 */
export function workgroupsFor(threads: number, workgroupSize: number): [number, number, number] {
  const count = Math.max(1, Math.ceil(threads / workgroupSize));
  if (count <= MAX_WORKGROUPS) return [count, 1, 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y, 1];
}

/** A lowering of a single dispatch without scratch, the common case. */
export function single(dispatch: Dispatch): Lowering {
  return { dispatches: [dispatch], scratchBytes: [] };
}
