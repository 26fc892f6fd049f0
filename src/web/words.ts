/** The lifecycle in plain words. */
import type { Action, Stage } from "../contracts/control.ts";
import type { Edge, EdgeReason, Veto, VetoReason } from "../contracts/lifecycle.ts";
import { formatNumber } from "../report/format.ts";

/** What a slot is doing. */
export const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  DORMANT: "empty",
  GERMINATED: "sown",
  TRAINING: "learns behind the host",
  BLENDING: "blends in",
  HOLDING: "on trial",
  FOSSILIZED: "kept",
  PRUNED: "pruned",
  EMBARGOED: "rests",
  RESETTING: "rests",
};

const REASON_WORDS: Readonly<Record<EdgeReason, string>> = {
  action: "as decided",
  governor: "stopped by the governor, as the loss broke down",
  compiled: "its kernels run",
  compile_timeout: "its kernels were not ready in time",
  gate: "its advantage is proven and time was up",
  no_benefit: "no advantage was proven in time",
  not_finite: "its gradient is not finite",
  blended: "α is 1 and the loss no worse",
  regression: "the loss rose while it was blended in",
  holding_timeout: "time was up",
  released: "its memory was returned",
  elapsed: "it has rested long enough",
};

const REFUSAL_WORDS: Readonly<Record<VetoReason, string>> = {
  unknown_slot: "there is no such slot",
  wrong_stage: "not at this stage",
  blending_out: "it is being blended out",
  too_young: "too young",
  too_early: "too early",
  too_late: "too little of the run is left",
  embargo: "the slot rests",
  governor: "the governor allows no growth any more",
  live_limit: "two seeds are alive already",
  does_not_fit: "it does not fit the slot",
  parameter_budget: "too many parameters",
  flop_budget: "too many FLOPs",
  not_compiled: "its kernels are not ready",
  parameters_missing: "its parameters are not in place",
  state_not_fresh: "its state is not fresh",
  gradient_unmeasured: "its gradient has not been measured",
  gradient_not_finite: "its gradient is not finite",
  gradient_ratio: "its gradient is out of proportion to the host's",
  advantage_unmeasured: "its advantage has not been measured",
  advantage_batches: "its advantage rests on too few batches",
  advantage_unproven: "its advantage may be chance",
  alpha_below_one: "α is still below 1",
  loss_unmeasured: "the loss has not been measured",
  loss_regressed: "the loss has risen",
  removal_unmeasured: "it was not switched off often enough",
  removal_stale: "it was last switched off too long ago",
  removal_unproven: "whether it would be missed may be chance",
  advantage_falling: "what it is worth is falling",
};

/** What an action is called on its button. */
export const ACTION_WORDS: Readonly<Record<Action["kind"], string>> = {
  wait: "Wait",
  germinate: "Sow",
  advance: "Blend in",
  fossilize: "Keep",
  prune: "Prune",
};

/** `blend in layer1`. */
export function wordsOfAction(action: Action): string {
  const verb = ACTION_WORDS[action.kind].toLowerCase();
  if (action.kind === "wait") return verb;
  return action.kind === "germinate"
    ? `${verb} ${action.blueprint} in ${action.slot}`
    : `${verb} ${action.slot}`;
}

export const wordsOfRefusal = ({ reason }: Veto): string => REFUSAL_WORDS[reason];

/** A transition as a line: `tick 18: pointwise in layer1 blends in (as decided; advantage 0.0082 ± 0.002)`. */
export function wordsOfEdge({ tick, slot, blueprint, to, reason, evidence }: Edge): string {
  const proof = proofOf(evidence);
  const seed = blueprint === null ? slot : `${blueprint} in ${slot}`;
  const stage = to === "DORMANT"
    ? "is empty again"
    : to === "FOSSILIZED" || to === "PRUNED" || to === "GERMINATED"
    ? `is ${STAGE_WORDS[to]}`
    : to === "HOLDING"
    ? "is on trial"
    : STAGE_WORDS[to];
  return `tick ${tick}: ${seed} ${stage} (${REASON_WORDS[reason]}${proof === null ? "" : `; ${proof}`})`;
}

/** What was measured, with its standard error. */
function proofOf(evidence: Edge["evidence"]): string | null {
  const number = (name: string) => typeof evidence[name] === "number" ? evidence[name] as number : null;
  const error = number("removalSe") ?? number("se");
  for (const [name, words] of [["removalCost", "missed by"], ["advantage", "advantage"]]) {
    const mean = number(name);
    if (mean !== null && error !== null) {
      return `${words} ${formatNumber(mean)} ± ${formatNumber(error)} nats`;
    }
  }
  return null;
}
