import type { Edge } from "../contracts/types/lifecycle.ts";
import type { Alarm } from "./governor.ts";

/**
 * What a program of the user's may follow a run by. Each is awaited before training goes on, and one that throws fails
 * the run with its name. Steps, ticks and epochs that a rollback or a lost device takes back are told of again when
 * they are repeated.
 */
export interface Hooks {
  /** Whose hooks these are, for the error where one throws. */
  readonly name?: string;
  /** After each optimiser step; `step` counts from 1. Steps are sent off one by one where someone follows them. */
  onStep?(step: number): void | Promise<void>;
  /** After each tick; `tick` counts from 1. */
  onTick?(tick: number): void | Promise<void>;
  /** After the step that meets the last example of a pass over the training data; `epoch` counts from 1. */
  onEpoch?(epoch: number): void | Promise<void>;
  /** After the lifecycle took edges. */
  onMutation?(edges: readonly Edge[]): void | Promise<void>;
  /** After a rollback. */
  onRollback?(alarm: Alarm): void | Promise<void>;
  /** When training ends, once a run: its budget is spent, it was interrupted, or an error ended it. */
  onStop?(outcome: Outcome): void | Promise<void>;
}

/** How training ended. */
export type Outcome = "completed" | "interrupted" | "failed";

const HOOKS = ["onStep", "onTick", "onEpoch", "onMutation", "onRollback", "onStop"] as const;
type HookName = typeof HOOKS[number];

/**
 * Calls a hook of everyone who has it, in order.
 *
 * @throws {Error} where one throws: which, whose, and what (as `cause`).
 */
export async function callHooks<K extends HookName>(
  hooks: readonly Hooks[],
  name: K,
  argument: Parameters<NonNullable<Hooks[K]>>[0],
): Promise<void> {
  for (const one of hooks) {
    try {
      // The compiler cannot follow that the hook found under a name takes that hook's argument.
      await (one[name] as ((argument: unknown) => void | Promise<void>) | undefined)?.call(one, argument);
    } catch (cause) {
      const whose = one.name === undefined ? "" : ` of ${one.name}`;
      const got = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new Error(
        `hook ${name}${whose}: want it to return, got ${got}; mend it and go on with the last checkpoint`,
        { cause },
      );
    }
  }
}

/** The same hooks, of which each hears of the first stop alone. */
export function stoppingOnce(hooks: readonly Hooks[]): readonly Hooks[] {
  return hooks.map((one) => {
    let stopped = false;
    const called = (name: HookName) => (argument: unknown) => {
      if (name === "onStop" && stopped) return;
      stopped ||= name === "onStop";
      return (one[name] as (argument: unknown) => void | Promise<void>).call(one, argument);
    };
    const wanted = HOOKS.filter((name) => one[name]).map((name) => [name, called(name)]);
    return { ...one.name !== undefined && { name: one.name }, ...Object.fromEntries(wanted) } as Hooks;
  });
}
