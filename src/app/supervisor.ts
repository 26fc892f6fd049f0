/** How someone who watches a run steps in: decisions are asked for between the observation and the controller. */
import type { Action, Observation, PatientController } from "../contracts/types/control.ts";
import type { Payloads } from "../contracts/types/events.ts";
import type { Hooks } from "../tolaria/mod.ts";

/** What may be asked of a run. Actions are still subject to the lifecycle's rules: one that is not legal is refused. */
export type SupervisorCommand =
  | { readonly command: "pause" | "resume" | "step" }
  | { readonly command: "force" | "veto" | "allow"; readonly action: Action };

/** Where a supervised run stands. */
export interface SupervisorState {
  /** The newest tick. */
  readonly tick: number;
  /** Asked to hold, and holding: it waits at a tick. */
  readonly paused: boolean;
  /** It stands still at a tick. */
  readonly holding: boolean;
  /** What the lifecycle allowed at the newest tick. */
  readonly legal: readonly Action[];
  /** What the controller may not choose. */
  readonly vetoed: readonly Action[];
  /** What the next decision will be. */
  readonly forced: Action | null;
}

/** Records that someone stepped in. */
export type TellPerson = (payload: Payloads["person.decided"]) => void;

/** Stands between observation and controller. */
export interface Supervisor {
  /** Asks something of the run; it takes effect at its next tick. */
  command(command: SupervisorCommand): void;
  /** A controller that asks here first. */
  supervise(controller: PatientController, tell: TellPerson): PatientController;
  /** Holds runs whose ticks ask no controller. */
  readonly hooks: Hooks;
  /** Lets the run go on for good: it is to end. */
  release(): void;
}

const same = (a: Action, b: Action) => JSON.stringify(a) === JSON.stringify(b);

/** Begins without having asked for anything; `onState` hears of every change. */
export function createSupervisor(onState: (state: SupervisorState) => void): Supervisor {
  let state: SupervisorState = {
    tick: 0,
    paused: false,
    holding: false,
    legal: [],
    vetoed: [],
    forced: null,
  };
  let released = false;
  let open: (() => void) | null = null;
  let clock = { tick: 0, step: 0 };
  let heldAt = -1;
  /** What was asked before the run began is told when it does. */
  const untold: Payloads["person.decided"][] = [];
  let tell: TellPerson = (payload) => void untold.push(payload);
  const change = (changes: Partial<SupervisorState>) => onState(state = { ...state, ...changes });

  /** Waits at a tick where the run is to hold. */
  async function hold(): Promise<void> {
    heldAt = clock.tick;
    if (!state.paused || released) return;
    const gate = Promise.withResolvers<void>();
    open = gate.resolve;
    change({ holding: true });
    await gate.promise;
    open = null;
    change({ holding: false });
  }

  const commands: Readonly<Record<SupervisorCommand["command"], (action: Action | null) => void>> = {
    pause: () => change({ paused: true }),
    resume() {
      change({ paused: false });
      open?.();
    },
    step() {
      change({ paused: true });
      open?.();
    },
    force: (action) => change({ forced: action }),
    veto: (action) => change({ vetoed: [...state.vetoed.filter((one) => !same(one, action!)), action!] }),
    allow: (action) => change({ vetoed: state.vetoed.filter((one) => !same(one, action!)) }),
  };

  return {
    command(asked) {
      const action = "action" in asked ? asked.action : null;
      tell({ ...clock, command: asked.command, action });
      commands[asked.command](action);
    },
    supervise(controller, to) {
      tell = to;
      untold.splice(0).forEach(to);
      return {
        kind: controller.kind,
        save: () => controller.save(),
        restore: (saved) => controller.restore(saved),
        async decide(observation: Observation) {
          const { tick, step, legal } = observation;
          clock = { tick, step };
          change({ tick, legal });
          await hold();
          const { forced, vetoed } = state;
          if (forced !== null && !released) {
            change({ forced: null });
            return { action: forced, why: "someone who watches asked for it", warnings: [] };
          }
          // The controller chooses among what is left to it; waiting cannot be forbidden.
          const left = legal.filter((action) =>
            action.kind === "wait" || !vetoed.some((one) => same(one, action))
          );
          return await controller.decide({ ...observation, legal: left });
        },
      };
    },
    hooks: {
      name: "supervisor",
      async onTick(tick) {
        clock = { ...clock, tick };
        if (heldAt !== tick) await hold();
      },
    },
    release() {
      released = true;
      open?.();
    },
  };
}
