/** The claims and the rules that they are judged by, in the words that are fixed before the first arm runs. */
import type { ArmName, ProofConfig, VariantArm } from "../../contracts/proof.ts";

/** What a comparison measures of an arm; more is better. */
export type Measure = "loss" | "area" | "saving" | "validation";

/** A primary comparison: `better` less `worse` by seed, which must be above the margin. */
export interface Primary {
  readonly id: string;
  readonly measure: Measure;
  readonly better: ArmName | VariantArm;
  readonly worse: ArmName;
  readonly margin: number;
}

/** H1: step time with dormant slots as a multiple of that without, at most. */
export const MOST_OVERHEAD = 1.05;

/** What is compared, in the order in which it is told. */
export function primariesOf({ grown, margin, saving }: ProofConfig): Primary[] {
  const compare = (id: string, measure: Measure, better: ArmName, worse: ArmName, margin = 0) => ({
    id,
    measure,
    better,
    worse,
    margin,
  });
  return [
    compare("H2", "loss", grown, "host-flops"),
    compare("H3.end", "loss", grown, "static-flops", -margin),
    compare("H3.cheaper", "saving", grown, "static-flops", saving),
    compare("H3.anytime", "area", grown, "static-flops"),
    compare("H4.learned", "loss", "learned", "heuristic"),
    compare("H4.heuristic", "loss", "heuristic", "random"),
  ];
}

/** What variants are compared with: never on the test split, as the best of them is chosen by this. */
export function ideasOf({ grown }: ProofConfig, variants: readonly VariantArm[]): Primary[] {
  return variants.flatMap((better) =>
    ([grown, "host-flops"] as const).map((worse): Primary => ({
      ...{ id: `${better} / ${worse}`, measure: "validation", better, worse, margin: 0 },
    }))
  );
}

/** A claim, and the comparisons that it is judged by: it takes all of them, or any. */
export interface Claim {
  readonly id: string;
  readonly claim: string;
  readonly rule: string;
  readonly takes: "all" | "any";
  readonly by: readonly string[];
}

export function claimsOf({ grown, margin, saving, level, window }: ProofConfig): Claim[] {
  const how =
    `SUPPORTED where the BCa bootstrap interval (95 %) of the paired differences lies above the margin and the ` +
    `one-sided p-value of Student's paired test, adjusted by Holm over all primary comparisons, is below ${level}; NOT ` +
    `SUPPORTED where the interval lies below the margin and the p-value that the mean is below it is less than ${level}; ` +
    `else INCONCLUSIVE; a crashed run counts as the worst of all runs, and as no better than a guess`;
  return [
    {
      id: "H1",
      claim:
        "harmless: growth that is switched off, or still incubates, leaves the host's training as it was, bit for bit, and " +
        `dormant slots cost less than ${Math.round(100 * (MOST_OVERHEAD - 1))} % of a step's time`,
      rule:
        "the weights of off-switch are those of host-flops; training and control losses of incubating are those of " +
        "host-flops at every tick until a seed is removed; the median ratio of step times with dormant slots and without, " +
        `in blocks that take turns, has the upper end of its bootstrap interval (95 %) below ${MOST_OVERHEAD}; NOT SUPPORTED ` +
        `where one bit differs or the lower end is above ${MOST_OVERHEAD}; INCONCLUSIVE where it was not measured`,
      takes: "all",
      by: [],
    },
    {
      id: "H2",
      claim: `growth pays: ${grown} ends with a lower test loss than the host trained to equal FLOPs`,
      rule: `test loss of host-flops less that of ${grown}, margin 0; ${how}`,
      takes: "all",
      by: ["H2"],
    },
    {
      id: "H3",
      claim:
        `growing beats having: against its own final topology from scratch at equal FLOPs, ${grown} is not worse by ` +
        `more than ${margin} nats, or comes to the same loss with ${100 * saving} % fewer FLOPs`,
      rule:
        `either of: test loss of static-flops less that of ${grown}, margin −${margin}; share of the FLOPs of ` +
        `static-flops that ${grown} had not spent when its validation loss was first as low as that which static-flops ` +
        `ended with (−1 where it never was), margin ${saving}; ${how}`,
      takes: "any",
      by: ["H3.end", "H3.cheaper"],
    },
    {
      id: "H3.anytime",
      claim:
        `growing beats having on the way: ${grown} is ahead of its final topology from scratch in the area under ` +
        "validation accuracy over the logarithm of FLOPs",
      rule:
        `mean accuracy over log FLOPs from 1/${window} of the budget to the whole, ${grown} less static-flops, margin ` +
        `0; ${how}`,
      takes: "all",
      by: ["H3.anytime"],
    },
    {
      id: "H4",
      claim: "control matters: learned ends with a lower test loss than heuristic, and heuristic than random",
      rule:
        `both of: test loss of heuristic less that of learned, of random less that of heuristic, margin 0; ${how}`,
      takes: "all",
      by: ["H4.learned", "H4.heuristic"],
    },
  ];
}
