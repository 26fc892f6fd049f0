import { TUNED_VERSION, TunedKernels, UsedKernels } from "../contracts/tuned.ts";
import type { AdapterDescription } from "../engine/gpu/device.ts";
import { type ChoiceSource, KernelChoices } from "../engine/tune/choices.ts";
import type { ContestResult } from "../engine/tune/tune.ts";
import { UserError } from "../util/errors.ts";
import { ESPER_VERSION } from "./versions.ts";

/** A name for an adapter that serves as a file's: `dawn-nvidia-h200`. */
export function adapterSlug({ backend, vendor, description, device }: AdapterDescription): string {
  const what = description || device || vendor || "adapter";
  return `${backend} ${what}`.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/**
 * The content of a tuned file.
 *
 * @throws {UserError} if it is none; `path` begins the message.
 */
export function parseTuned(value: unknown, path: string): TunedKernels {
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== TUNED_VERSION) {
    throw new UserError(
      `${path}: want version ${TUNED_VERSION}, got ${JSON.stringify(version)}; ${againCure(path)}`,
    );
  }
  const parsed = TunedKernels.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: at, message } = parsed.error.issues[0];
  throw new UserError(`${path}: ${at.join(".") || "file"}: ${message}; ${againCure(path)}`);
}

const againCure = (path: string) => `delete ${path} and tune again (main.ts tune-kernels)`;

/** Lays new results over what a file said of the same adapter. */
export function mergeTuned(
  earlier: TunedKernels | null,
  adapter: AdapterDescription,
  results: readonly ContestResult[],
): TunedKernels {
  const microseconds = ({ times }: ContestResult) =>
    Object.fromEntries(times.map(({ id, seconds }) => [id, Number((seconds * 1e6).toPrecision(4))]));
  const fresh = results.map((result) =>
    [result.key, { variant: result.winner, microseconds: microseconds(result) }] as const
  );
  const kernels = Object.entries({ ...earlier?.kernels, ...Object.fromEntries(fresh) });
  return {
    version: TUNED_VERSION,
    adapter: adapterSlug(adapter),
    description: adapter.description,
    esper: ESPER_VERSION,
    kernels: Object.fromEntries(kernels.sort(([a], [b]) => a < b ? -1 : 1)),
  };
}

/** Name of the file of a run folder that says which variants it used. */
export const USED_FILE = "kernels.json";

/**
 * How a run chooses its kernels: as it did before it was resumed (`used`, the content of `kernels.json`; null for a new
 * run), else as its adapter's tuned file says, else by default.
 *
 * @throws {UserError} if `used` is not what a run writes.
 */
export function runChoices(used: unknown, tuned: { path: string; file: TunedKernels } | null): KernelChoices {
  const sources: ChoiceSource[] = [];
  let earlier = {};
  if (used !== null) {
    const parsed = UsedKernels.safeParse(used);
    const cure = "go on with the Esper that the run was made by";
    if (!parsed.success) throw new UserError(`${USED_FILE}: want the choices of a run; ${cure}`);
    earlier = parsed.data.kernels;
    sources.push({ variants: parsed.data.kernels, origin: USED_FILE, cure });
  }
  if (tuned) {
    const { path, file: { kernels } } = tuned;
    const variants = Object.fromEntries(Object.entries(kernels).map(([key, { variant }]) => [key, variant]));
    sources.push({ variants, origin: path, cure: "tune again (main.ts tune-kernels)" });
  }
  return new KernelChoices(sources, earlier);
}

/** The content of `kernels.json`. */
export function usedKernels(choices: KernelChoices): UsedKernels {
  return { version: TUNED_VERSION, kernels: { ...choices.used } };
}
