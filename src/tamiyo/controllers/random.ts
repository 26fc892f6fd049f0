import type { Action, Controller, ControllerConfig } from "../../contracts/control.ts";
import { prng } from "../../util/prng.ts";
import { readState } from "../state.ts";

/**
 * Germinates with a given chance wherever that is legal, any slot and blueprint alike; otherwise takes any other legal
 * action, waiting included, each as likely. The decision depends on seed, tick and the legal actions only.
 */
export function createRandom(
  config: Extract<ControllerConfig, { kind: "random" }>,
  seed: number,
): Controller {
  return {
    kind: "random",
    decide({ tick, legal }) {
      const chance = prng(seed, `tamiyo.random.${tick}`);
      const germinations = legal.filter((action) => action.kind === "germinate");
      const others = legal.filter((action) => action.kind !== "germinate");
      const germinate = chance.uniform() < config.germinate && germinations.length > 0;
      const choice: Action[] = germinate ? germinations : others;
      return {
        action: choice[chance.below(choice.length)],
        why: `drawn from ${choice.length} legal ${
          germinate ? "germinations" : "actions other than germination"
        }`,
        warnings: [],
      };
    },
    save: () => ({ kind: "random" }),
    restore: (saved) => void readState("random", saved),
  };
}
