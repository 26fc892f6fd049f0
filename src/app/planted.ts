import type { RunConfig } from "../contracts/config.ts";
import { ZEROS } from "../engine/nn/init.ts";
import type { Model } from "../engine/nn/scope.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { build, findBlueprint } from "../tezzeret/mod.ts";
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import { within } from "./export_network.ts";

/** Prefix of the parameters of entry `index` of `growth.planted`. */
export const plantedPrefix = (slot: string, index: number) => `planted/${slot}/${index + 1}`;

/**
 * A network with seeds at its taps from the first step on, h + γ⊙f(h) as a fossil computes it, γ starting at 0: the shape of
 * a grown network, with the first values that it and its seeds would have had. Of one tap, the later sits behind the earlier;
 * slots may be given at the same taps.
 *
 * @throws {UserError} when traced, if there is no such tap.
 */
export function plantSeeds(host: Model, seeds: RunConfig["growth"]["planted"]): Model {
  if (seeds.length === 0) return host;
  return {
    ...host,
    name: `${host.name} with ${seeds.map(({ slot, blueprint }) => `${blueprint} in ${slot}`).join(", ")}`,
    forward(scope, x) {
      const taps: string[] = [];
      const planted = within(scope, (tap, h) => {
        taps.push(tap);
        for (const [k, { slot, blueprint }] of seeds.entries()) {
          if (slot !== tap) continue;
          const own = scope.scope(plantedPrefix(slot, k));
          const gamma = own.parameter("gamma", [h.shape.at(-1)!], ZEROS);
          h = add(h, mul(build(findBlueprint(blueprint), own, h), gamma));
        }
        return h;
      });
      const logits = host.forward(planted, x);
      const stray = seeds.find(({ slot }) => !taps.includes(slot));
      if (!stray) return logits;
      throw usageError(
        `growth.planted: want taps of ${host.name} (${taps.join(", ")}), got "${stray.slot}"${
          suggestion(stray.slot, taps)
        }`,
      );
    },
  };
}
