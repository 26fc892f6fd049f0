import type { Action, PatientController } from "../contracts/control.ts";
import { findLegal } from "../tamiyo/actions.ts";

/** A controller that a person may overrule, one action at a time. */
export interface ControllerByHand extends PatientController {
  /** What was asked for and has not been taken yet. */
  readonly asked: Action | null;
  /** Asks for an action at the next tick; null takes the request back. */
  ask(action: Action | null): void;
}

/** `inner`, which decides wherever nothing was asked for. What is no longer legal when the tick comes is dropped with a word. */
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
      if (asked === null) return own;
      const action = asked;
      asked = null;
      if (findLegal(observation.legal, action)) {
        return { action, why: "asked for by hand", warnings: own.warnings };
      }
      return {
        ...own,
        warnings: [...own.warnings, `what was asked for is not legal any more: ${action.kind}`],
      };
    },
    save: () => inner.save(),
    restore: (state) => inner.restore(state),
  };
}
