import type { Action, PatientController, Stage } from "../contracts/control.ts";
import { findLegal } from "../tamiyo/actions.ts";

/** A controller that a person may overrule, one action at a time. */
export interface ControllerByHand extends PatientController {
  /** What was asked for and has not been done yet. */
  readonly asked: Action | null;
  /** Asks for an action, to be done at the next tick that it is legal at; null takes the request back. */
  ask(action: Action | null): void;
}

/** Stages of its slot that an action may become legal in. */
const STAGES: Readonly<Record<Exclude<Action["kind"], "wait">, readonly Stage[]>> = {
  germinate: ["DORMANT"],
  advance: ["TRAINING"],
  prune: ["TRAINING", "BLENDING", "HOLDING"],
  fossilize: ["HOLDING"],
};

/**
 * `inner`, which decides wherever nothing was asked for. A request stands while evidence is short, and is dropped with a
 * word once its slot is past it.
 */
export function byHand(inner: PatientController): ControllerByHand {
  let asked: Action | null = null;
  return {
    kind: inner.kind,
    get asked() {
      return asked;
    },
    ask(action) {
      asked = action;
    },
    async decide(observation) {
      // The controller is asked even so: what it remembers of the run goes on.
      const own = await inner.decide(observation);
      if (asked === null || asked.kind === "wait") return own;
      const action = asked, { kind, slot } = action;
      if (findLegal(observation.legal, action)) {
        asked = null;
        return { action, why: "asked for by hand", warnings: own.warnings };
      }
      const stage = observation.slots.find((one) => one.slot === slot)?.stage;
      if (stage && STAGES[kind].includes(stage)) return own;
      asked = null;
      return {
        ...own,
        warnings: [...own.warnings, `${kind} ${slot}: it is too late for what was asked for`],
      };
    },
    save: () => inner.save(),
    restore: (state) => inner.restore(state),
  };
}
