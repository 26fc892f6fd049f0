/** Where a configuration's network may grow, and what may grow there: nothing is loaded and no device is opened. */
import type { Fit } from "../contracts/blueprint.ts";
import type { RunConfig } from "../contracts/config.ts";
import { findBlueprint, fitOf } from "../tezzeret/mod.ts";
import type { Shape } from "../util/shape.ts";
import { examplesOf } from "./examples.ts";
import { loadHost } from "./host_file.ts";
import { buildNetwork } from "./network.ts";
import type { NetworkSize } from "./options.ts";

/** A named place behind a layer of the host. */
export interface SlotListing {
  readonly name: string;
  /** Of one example's activation. */
  readonly shape: Shape;
  /** Parameters, and forward FLOPs for one example, of the layer that feeds it. */
  readonly params: number;
  readonly flops: number;
  /** What each allowed blueprint would cost there; null where the place has no slot. */
  readonly fits: readonly { readonly blueprint: string; readonly fit: Fit }[] | null;
}

export interface SlotsListing {
  readonly host: NetworkSize;
  readonly slots: readonly SlotListing[];
}

/**
 * The injection points of a configuration's network.
 *
 * @throws {UserError} if a pattern of `growth.slots` matches none.
 */
export async function listSlots(asked: RunConfig): Promise<SlotsListing> {
  const { config, from } = await loadHost(asked, null);
  const [shape, classes] = from ? [from.model.input, from.model.classes] : examplesOf(config.data);
  const { host, model, layers } = buildNetwork(config, shape, classes, from);
  const slots = layers.filter(({ name }) => name !== "head").map((layer) => ({
    ...layer,
    fits: model.slots.includes(layer.name)
      ? config.growth.blueprints.map((blueprint) => ({
        blueprint,
        fit: fitOf(findBlueprint(blueprint), layer.shape),
      }))
      : null,
  }));
  return { host, slots };
}
