import type { BuiltHost } from "../contracts/config.ts";
import { airbench } from "../engine/nn/airbench.ts";
import { cnn, mlp } from "../engine/nn/hosts.ts";
import { resnet } from "../engine/nn/resnet.ts";
import type { Model } from "../engine/nn/scope.ts";
import { usageError } from "../util/errors.ts";
import { formatShape, type Shape } from "../util/shape.ts";

/** How each kind of host is built. */
const hosts: {
  [K in BuiltHost["kind"]]: (
    host: Extract<BuiltHost, { kind: K }>,
    input: Shape,
    classes: number,
  ) => Model;
} = {
  cnn: (host, input, classes) => cnn(input, classes, host.channels, host),
  resnet: (host, input, classes) => resnet(input, classes, host),
  airbench: (host, input, classes) => airbench(input, classes, host),
  mlp: (host, input, classes) => mlp(input, classes, host.hidden),
};

/**
 * The network that a description stands for.
 *
 * @throws {UserError} if it takes no examples of that shape.
 */
export function buildHost<K extends BuiltHost["kind"]>(
  host: Extract<BuiltHost, { kind: K }>,
  input: Shape,
  classes: number,
): Model {
  const rank = host.kind === "mlp" ? 1 : 3;
  if (input.length !== rank) {
    throw usageError(
      `host: want examples ${rank === 1 ? "[F]" : "[H, W, C]"} for a ${host.kind}, got ${formatShape(input)}`,
    );
  }
  return hosts[host.kind as K](host, input, classes);
}
