import { z } from "zod";
import { KeptTrajectory } from "../../contracts/trajectory.ts";
import type { Store } from "../../urza/store.ts";
import { UserError } from "../../util/errors.ts";
import { parseJson } from "../../util/json.ts";

const KIND = "replay", NAME = "trajectories";

const Entry = z.strictObject({ blob: z.string(), policy: z.int().min(0) });
type Entry = z.output<typeof Entry>;
const Entries = z.array(Entry);

/** Whole trajectories in a store, the newest of them. */
export interface ReplayBuffer {
  /** Adds trajectories; where there are more than the buffer holds, the oldest go. */
  add(trajectories: readonly KeptTrajectory[]): Promise<void>;
  /** Trajectories of policies that had had `from` to `to` iterations, oldest first. */
  read(from: number, to: number): Promise<KeptTrajectory[]>;
  /** Forgets what policies of `version` iterations or more have played. */
  forgetFrom(version: number): Promise<void>;
}

/**
 * The trajectories that a store keeps. PPO may learn from those of policies at most one iteration behind; what is older serves
 * imitation.
 *
 * @param capacity Most trajectories that are kept.
 */
export function createReplayBuffer(store: Store, capacity: number): ReplayBuffer {
  async function entries(): Promise<Entry[]> {
    if (!(await store.listManifests(KIND)).includes(NAME)) return [];
    const parsed = Entries.safeParse(await store.readManifest(KIND, NAME));
    if (parsed.success) return parsed.data;
    throw broken(parsed.error);
  }

  return {
    async add(trajectories) {
      const added: Entry[] = [];
      for (const trajectory of trajectories) {
        const { policy } = trajectory;
        // NaN and infinities become null, which is what they are to a policy: not known.
        const text = JSON.stringify(KeptTrajectory.parse(trajectory));
        added.push({ blob: await store.put(new TextEncoder().encode(text)), policy });
      }
      const all = [...await entries(), ...added];
      await store.writeManifest(KIND, NAME, all.slice(Math.max(0, all.length - capacity)));
    },
    async read(from, to) {
      const wanted = (await entries()).filter(({ policy }) => policy >= from && policy <= to);
      const read: KeptTrajectory[] = [];
      for (const { blob } of wanted) {
        const parsed = KeptTrajectory.safeParse(jsonIn(await store.get(blob)));
        if (!parsed.success) throw broken(parsed.error);
        read.push(parsed.data);
      }
      return read;
    },
    async forgetFrom(version) {
      await store.writeManifest(KIND, NAME, (await entries()).filter(({ policy }) => policy < version));
    },
  };
}

/** Undefined where it is not JSON. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function broken({ issues: [{ path, message }] }: z.ZodError): UserError {
  return new UserError(
    `replay buffer: ${
      path.join(".") || "trajectory"
    }: ${message}; it was written by another Esper or is broken: begin a new training`,
  );
}
