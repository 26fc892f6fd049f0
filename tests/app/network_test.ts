import { assert, assertEquals, assertThrows } from "@std/assert";
import { buildNetwork, type Network } from "../../src/app/network.ts";
import { stepInput, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { UserError } from "../../src/util/errors.ts";
import { tinyConfig } from "../support/session.ts";

const images = (changes = {}) => buildNetwork(tinyConfig("images", changes), [8, 8, 3], 4);
const points = (changes = {}) => buildNetwork(tinyConfig("points", changes), [2], 3);

Deno.test("buildNetwork() counts a convolutional host's parameters by hand", () => {
  const network = images();
  assertEquals(network.model.slots, ["block1", "block2"]);
  // Convolutions without bias, scale and shift of the norms, and the head.
  const block1 = 9 * 3 * 4 + 2 * 4, block2 = 9 * 4 * 8 + 2 * 8, head = 8 * 4 + 4;
  assertEquals(network.host.params, block1 + block2 + head);
  assertEquals(network.layers.map(({ name, shape, params }) => ({ name, shape: [...shape], params })), [
    { name: "block1", shape: [4, 4, 4], params: block1 },
    { name: "block2", shape: [2, 2, 8], params: block2 },
    { name: "head", shape: [4], params: head },
  ]);
  assertEquals(network.layers.reduce((total, { flops }) => total + flops, 0), network.host.flops);
  assertEquals(network.shapeOf("block2"), [2, 2, 8]);
});

Deno.test("buildNetwork() counts a residual host's parameters by hand", () => {
  const changes = { host: { kind: "resnet" as const, width: 4, blocks: [1, 1] } };
  const network = buildNetwork(tinyConfig("images", changes), [8, 8, 3], 4);
  const layer = (from: number, to: number, kernel = 9) => kernel * from * to + 2 * to;
  assertEquals(network.layers.map(({ name, shape, params }) => ({ name, shape: [...shape], params })), [
    { name: "stem", shape: [8, 8, 4], params: layer(3, 4) },
    { name: "block1", shape: [8, 8, 4], params: 2 * layer(4, 4) },
    { name: "block2", shape: [4, 4, 8], params: layer(4, 8) + layer(8, 8) + layer(4, 8, 1) },
    { name: "head", shape: [4], params: 8 * 4 + 4 },
  ]);
  assertEquals(network.model.slots, ["stem", "block1", "block2"]);
});

Deno.test("buildNetwork() counts a dense host's parameters by hand", () => {
  const network = points();
  assertEquals(network.model.slots, ["layer1", "layer2"]);
  assertEquals(network.layers.map(({ params }) => params), [2 * 8 + 8, 8 * 8 + 8, 8 * 3 + 3]);
});

Deno.test("buildNetwork() puts a slot's layer and its seed into groups of their own", () => {
  const { model } = images({ growth: { slots: ["block1"] } });
  assertEquals(
    ["block1/conv/weight", "block2/conv/weight", "head/bias", "seed/block1/3/gamma"].map(model.groupOf),
    ["host/block1", "host", "host", "seed/block1/3"],
  );
});

Deno.test("buildNetwork() with planted seeds is the grown network from the first step on, in the groups of the host", () => {
  const seeds = [{ slot: "block1", blueprint: "conv3" }, { slot: "block2", blueprint: "se" }];
  const { host, model } = images({ growth: { planted: seeds } });
  const fossils = seeds.map((
    { slot, blueprint },
  ) => [slot, { seed: `${slot}/1`, blueprint, mode: "fossil" }]);
  assertEquals(host, images().sizeWith(Object.fromEntries(fossils)));
  assertEquals(model.groupOf("planted/block1/1/gamma"), "host/block1");
});

Deno.test("buildNetwork() sizes a grown network by what is in it", () => {
  const network = images();
  const topology = {
    block1: { seed: "block1/1", blueprint: "conv3", mode: "fossil" as const },
    block2: { seed: "block2/4", blueprint: "se", mode: "fossil" as const },
  };
  assertEquals(network.sizeWith({}), network.host);
  const extra = network.paramsOf("conv3", "block1") + network.paramsOf("se", "block2");
  assertEquals(network.sizeWith(topology).params, network.host.params + extra);
});

/** Room in the store for the host with one seed, or without. */
function roomOf({ model }: Network, slot?: string, blueprint = ""): number {
  return withSharedNodes(() => {
    const scope = new TraceScope();
    const seed = { seed: `${slot}/1`, blueprint, mode: "blend" as const };
    model.trace(scope, stepInput("x", [1, 8, 8, 3]), slot === undefined ? {} : { [slot]: seed });
    return ParameterStore.sizeOf(scope.parameters);
  });
}

Deno.test("buildNetwork() leaves room for an old and a new seed of the largest kind in every slot", () => {
  const network = images(), host = roomOf(network);
  const seeds = network.model.slots.map((slot) =>
    Math.max(...["conv3", "se", "nan", "explode"].map((blueprint) => roomOf(network, slot, blueprint) - host))
  );
  assertEquals(network.capacity, host + 2 * seeds[0] + 2 * seeds[1]);
});

Deno.test("buildNetwork() takes a blueprint that fits nowhere for one without parameters", () => {
  const network = points({ growth: { blueprints: ["conv3"] } });
  assertEquals(network.paramsOf("conv3", "layer1"), 0);
  const context = { tick: 1, step: 1, ticksLeft: 99, governor: null };
  const veto = network.kasmina.check({ kind: "germinate", slot: "layer1", blueprint: "conv3" }, context);
  assertEquals(veto?.reason, "does_not_fit");
});

const broken: [string, () => unknown, RegExp][] = [
  [
    "a slot that matches nothing",
    () => images({ growth: { slots: ["blok1"] } }),
    /^morph: 0 slots matched "blok1"; /,
  ],
  [
    "a planted seed that no tap is there for",
    () => images({ growth: { planted: [{ slot: "blok1", blueprint: "conv3" }] } }),
    /^growth\.planted: want taps of .* \(block1, block2\), got "blok1"; did you mean "block1"\?$/,
  ],
  [
    "an unknown blueprint",
    () => images({ growth: { blueprints: ["conv4"] } }),
    /^blueprint: want one of .*, got conv4/,
  ],
  [
    "an unknown slot in a schedule",
    () =>
      images({
        controller: { kind: "fixed", schedule: [{ tick: 1, action: "prune", slot: "blok2" }] },
      }),
    /^config: controller\.schedule\.0\.slot: want a slot, got "blok2"; did you mean "block2"\?$/,
  ],
  [
    "more blocks than the images have pixels",
    () => images({ host: { channels: [4, 4, 4, 4] } }),
    /^cnn: want images of at least 16 pixels for 4 blocks, got 8; use fewer entries in host\.channels$/,
  ],
];
for (const [what, build, line] of broken) {
  Deno.test(`buildNetwork() meets ${what} with a usage error of one line`, () => {
    const error = assertThrows(build, UserError);
    assertEquals(error.exitCode, 2);
    assert(line.test(error.message), error.message);
  });
}
