import type { Blueprint } from "../contracts/types/blueprint.ts";
import { affine } from "./blueprints/affine.ts";
import { basic } from "./blueprints/basic.ts";
import { bottleneck } from "./blueprints/bottleneck.ts";
import { conv3 } from "./blueprints/conv3.ts";
import { dwsep } from "./blueprints/dwsep.ts";
import { expand } from "./blueprints/expand.ts";
import { explode } from "./blueprints/explode.ts";
import { lowrank } from "./blueprints/lowrank.ts";
import { mlp } from "./blueprints/mlp.ts";
import { nan } from "./blueprints/nan.ts";
import { pointwise } from "./blueprints/pointwise.ts";
import { se } from "./blueprints/se.ts";
import { slow } from "./blueprints/slow.ts";
import { usageError } from "../util/errors.ts";

/** The blueprints that come with Esper, fault blueprints last. */
export const library: readonly Blueprint[] = [
  affine,
  se,
  pointwise,
  lowrank,
  dwsep,
  bottleneck,
  conv3,
  basic,
  expand,
  mlp,
  nan,
  explode,
  slow,
];

/**
 * The blueprint of a name.
 *
 * @throws {UserError} if there is none; the message lists those there are.
 */
export function findBlueprint(name: string, blueprints: readonly Blueprint[] = library): Blueprint {
  const found = blueprints.find((blueprint) => blueprint.name === name);
  if (found) return found;
  throw usageError(`blueprint: want one of ${blueprints.map((known) => known.name).join(", ")}, got ${name}`);
}
