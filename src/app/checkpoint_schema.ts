/** What a checkpoint must look like before anything in it is used: it may come from anywhere. */
import { z } from "zod";
import { SavedNumber } from "../contracts/saved_number.ts";
import { ParameterStore, type StoreLayout } from "../engine/optim/parameter_store.ts";
import { SlotRecord } from "../kasmina/mod.ts";
import { ControllerState } from "../tamiyo/mod.ts";
import { EXPENSES } from "../tolaria/ledger.ts";
import type { TrainerState } from "../tolaria/mod.ts";
import { UserError } from "../util/errors.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");
const whole = z.int().min(0);
const numbers = z.array(SavedNumber);
const CURE = "restore it or go back to an older one";

const Places = z.array(z.strictObject({
  name: z.string().min(1),
  shape: z.array(whole).max(8),
  decay: z.boolean(),
  group: z.string(),
  block: z.int().min(0).max(2 ** 26),
})).max(10_000);

const Topology = z.record(
  z.string().min(1),
  z.strictObject({
    seed: z.string().min(1),
    blueprint: z.string().min(1),
    mode: z.enum(["blend", "fossil", "shadow", "ste"]),
  }),
);

const Progress = z.strictObject({
  step: whole,
  tick: whole,
  stepInTick: whole,
  updates: z.record(z.string(), whole),
  running: Topology,
  seen: whole,
  losses: numbers,
  norms: z.record(z.string(), SavedNumber),
  controlHistory: numbers,
  detours: whole,
  before: z.strictObject({ step: whole, loss: SavedNumber, accuracy: SavedNumber }).nullable(),
});

const State: z.ZodType<TrainerState> = z.strictObject({
  progress: Progress,
  unread: z.strictObject({ waiting: z.array(numbers), later: z.array(numbers) }),
  ledger: z.strictObject({
    spent: z.record(z.enum(EXPENSES), z.number().min(0)),
    deferred: z.number().min(0),
  }),
  governor: z.strictObject({
    losses: numbers,
    gradients: numbers,
    signs: z.array(z.boolean()),
    rollbacks: whole,
  }),
  lifecycle: SlotRecord,
  // Null: what is done was decided from outside.
  controller: ControllerState.nullable(),
}).superRefine(({ progress: { running }, lifecycle: { names } }, context) => {
  for (const [slot, { seed }] of Object.entries(running)) {
    const message = !names.includes(slot)
      ? `want a slot out of ${names.join(", ")}`
      : !seed.startsWith(`${slot}/`)
      ? `want a seed of its own, got ${seed}`
      : null;
    if (message) context.addIssue({ code: "custom", path: ["progress", "running", slot], message });
  }
});

const Saved = z.strictObject({
  state: State,
  layout: z.strictObject({ groups: z.array(z.string().nullable()).max(1000), places: Places }),
  numbers: z.array(hash).min(1).max(8),
});

const Manifest = z.strictObject({
  version: z.number(),
  config: z.string(),
  logs: z.record(z.string(), whole),
  controlLoss: z.number().nullable(),
  present: Saved,
  blessed: Saved,
});

/** A manifest whose form is right: numbers that JSON cannot hold are numbers again. */
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
