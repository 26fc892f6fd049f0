/** What the training thread and the thread that compiles say to each other. */
import type { VariantIds } from "../../engine/tune/choices.ts";
import type { AdapterDescription } from "../../engine/gpu/device.ts";
import { DeviceLostError, type WorkOrder, type WorkshopOptions } from "../workshop.ts";
import { BlueprintError } from "../build.ts";
import { GpuError } from "../../engine/gpu/errors.ts";
import { UserError } from "../../util/errors.ts";

/** Options of a workshop that can be sent to another thread. */
export interface FarOptions extends Omit<WorkshopOptions, "gpu" | "choose"> {
  /** The adapter to open a device of its own on. */
  readonly adapter: AdapterDescription;
  /** Variants of kernels that a run has chosen. Default: the first that fits. */
  readonly variants?: VariantIds;
}

/** The first request opens the workshop; the others are orders. */
export type Request =
  & { readonly id: number }
  & (
    | { readonly kind: "open"; readonly options: FarOptions }
    | { readonly kind: "draft"; readonly order: WorkOrder }
    /** With signs of life every `beatMs`, where that is given. */
    | { readonly kind: "test"; readonly order: WorkOrder; readonly beatMs?: number }
  );

/** An error, as far as it can be sent. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** Of a `BlueprintError`. */
  readonly spentFlops?: number;
}

/** What came of a request, or a sign that it is being worked on. */
export type Reply =
  & { readonly id: number }
  & ({ readonly result: unknown } | { readonly error: SentError } | { readonly beat: true });

const known = { DeviceLostError, GpuError, UserError };

/** What can be sent of an error. */
export function sent(error: unknown): SentError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return error instanceof BlueprintError
    ? { name, message, spentFlops: error.spentFlops }
    : { name, message };
}

/** The error that was sent, of its own class where somebody may catch it. */
export function received({ name, message, spentFlops }: SentError): Error {
  if (spentFlops !== undefined) return new BlueprintError(message, { spentFlops });
  if (Object.hasOwn(known, name)) return new known[name as keyof typeof known](message);
  return new Error(`${name}: ${message}`);
}
