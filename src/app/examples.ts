import type { RunConfig } from "../contracts/config.ts";
import type { Shape } from "../util/shape.ts";

/** Examples and classes of each data set of images, which have their shape whatever is in them. */
const IMAGES: Readonly<Record<Exclude<RunConfig["data"]["kind"], "spirals">, readonly [Shape, number]>> = {
  "cifar10": [[32, 32, 3], 10],
  "fashion-mnist": [[28, 28, 1], 10],
  "digits": [[28, 28, 1], 10],
};

/** Shape of one example, and the number of classes. */
export function examplesOf(data: RunConfig["data"]): readonly [Shape, number] {
  if (data.kind === "spirals") return [[2], data.classes];
  const [[height, width, channels], classes] = IMAGES[data.kind];
  return [[data.pixels ?? height, data.pixels ?? width, channels], classes];
}
