/** What a checkpoint must look like before anything in it is used: it may come from anywhere. */
import { z } from "zod";
import { ParameterStore, type StoreLayout } from "../engine/optim/parameter_store.ts";
import { UserError } from "../util/errors.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");
const whole = z.int().min(0);
const CURE = "restore it or go back to an older one";

const Places = z.array(z.object({
  name: z.string().min(1),
  shape: z.array(whole).max(8),
  decay: z.boolean(),
  group: z.string(),
  block: z.int().min(0).max(2 ** 26),
})).max(10_000);

const Topology = z.record(
  z.string().min(1),
  z.object({
    seed: z.string().min(1),
    blueprint: z.string().min(1),
    mode: z.enum(["blend", "fossil", "shadow", "ste"]),
  }),
);

const Saved = z.object({
  state: z.looseObject({ progress: z.looseObject({ step: whole, tick: whole, running: Topology }) }),
  layout: z.object({ groups: z.array(z.string().nullable()).max(1000), places: Places }),
  numbers: z.array(hash).min(1).max(8),
});

const Manifest = z.looseObject({
  version: z.number(),
  config: z.string(),
  logs: z.record(z.string(), whole),
  present: Saved,
  blessed: Saved,
});

/** The parts of a manifest that say where numbers lie and what network they are of; the rest as it was. */
export type CheckedManifest = z.output<typeof Manifest>;

/**
 * Checks the form of a checkpoint's manifest.
 *
 * @throws {UserError} naming the first thing that is wrong.
 */
export function checkManifest(value: unknown, name: string): CheckedManifest {
  const parsed = Manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(
    `checkpoint ${name}: ${path.join(".") || "manifest"}: ${message}; ${CURE}`,
  );
}

/** The numbers in a blob. */
export function floatsOf(bytes: Uint8Array, name: string): Float32Array<ArrayBuffer> {
  if (bytes.length % 4 === 0) return new Float32Array(bytes.slice().buffer);
  throw new UserError(
    `checkpoint ${name}: want blobs of whole float32 numbers, got ${bytes.length} bytes; ${CURE}`,
  );
}

/**
 * Checks that every parameter lies within the numbers, and none on another.
 *
 * @throws {UserError} naming the first that does not.
 */
export function checkPlaces(
  { groups, places }: StoreLayout,
  values: Float32Array,
  name: string,
): void {
  const size = values.length;
  let free = 0;
  for (const place of [...places].sort((a, b) => a.block - b.block)) {
    const [from, to] = ParameterStore.rangeOf(place);
    const fault = from < free ? "on another" : to > size ? `beyond ${size} numbers` : null;
    const lost = groups.includes(place.group) ? null : "in a group that is not listed";
    if (fault ?? lost) {
      throw new UserError(
        `checkpoint ${name}: want parameter ${place.name} in a place of its own, got one ${
          fault ?? lost
        }; ${CURE}`,
      );
    }
    free = to;
  }
}
