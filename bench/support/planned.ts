import type { Action, Controller } from "../../src/contracts/control.ts";

/** A seed to sow: what, where, and from which tick on. */
export interface Sowing {
  readonly tick: number;
  readonly slot: string;
  readonly blueprint: string;
}

/** Follows a plan of germinations; everything else is done as soon as it may be: fossilise first, then advance. */
export function planned(plan: readonly Sowing[]): Pick<Controller, "decide"> {
  const sown = new Set<Sowing>();
  return {
    decide({ tick, legal }) {
      const due = plan.filter((sowing) => sowing.tick <= tick && !sown.has(sowing));
      const isDue = (action: Action, { slot, blueprint }: Sowing) =>
        action.kind === "germinate" && action.slot === slot && action.blueprint === blueprint;
      const action = legal.find(({ kind }) => kind === "fossilize") ??
        legal.find(({ kind }) => kind === "advance") ??
        legal.find((one) => due.some((sowing) => isDue(one, sowing))) ?? { kind: "wait" as const };
      for (const sowing of due) if (isDue(action, sowing)) sown.add(sowing);
      return { action, why: "planned", warnings: [] };
    },
  };
}

/** Every way to sow at most one seed in each slot, out of these blueprints and ticks; the empty plan first. */
export function allPlans(
  slots: readonly string[],
  blueprints: readonly string[],
  ticks: readonly number[],
): Sowing[][] {
  return slots.reduce<Sowing[][]>((plans, slot) => {
    const sowings = ticks.flatMap((tick) => blueprints.map((blueprint) => ({ tick, slot, blueprint })));
    return plans.flatMap((plan) => [plan, ...sowings.map((sowing) => [...plan, sowing])]);
  }, [[]]);
}
