import { assert, assertEquals, assertThrows } from "@std/assert";
import { type NetworkFile, readNetwork, writeNetwork } from "../../src/app/export_file.ts";
import { writeSafetensors } from "../../src/engine/io/safetensors.ts";
import { UserError } from "../../src/util/errors.ts";
import { grownNetwork } from "../support/exported.ts";

const INPUT = {
  shape: [8, 8, 3],
  classes: ["cat", "dog", "none"],
  normalisation: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.1] },
};
const network = grownNetwork({ kind: "cnn", channels: [4, 8], norm: "batch", groupSize: 16 }, INPUT, [
  ["block1", "conv3"],
  ["block2", "se"],
  ["block1", "affine"],
]);

const bitsOf = ({ tensors }: NetworkFile) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape: [...shape], bits: [...new Uint32Array(data.buffer, data.byteOffset, data.length)] },
    ]),
  );

Deno.test("readNetwork() gives back what writeNetwork() took, bit for bit", () => {
  const odd = new Float32Array(network.tensors["head/bias"].data as Float32Array);
  odd.set([-0, NaN, 1e-42]);
  const tensors = { ...network.tensors, "head/bias": { shape: [3], data: odd } };
  const file = { description: network.description, tensors };
  const loaded = readNetwork(writeNetwork(file), "f");
  assertEquals(loaded.description, network.description);
  assertEquals(bitsOf(loaded), bitsOf(file));
  assertEquals(loaded.model.name, "cnn 4-8 with conv3 in block1, se in block2, affine in block1");
});

Deno.test("an exported network holds fossils as branches of their own, and no γ, moment or slot", () => {
  const names = Object.keys(network.tensors);
  for (
    const name of [
      "fossil/block1/1/spatial/weight",
      "fossil/block2/1/squeeze/bias",
      "fossil/block1/2/scaled/weight",
    ]
  ) {
    assert(names.includes(name), name);
  }
  assert(names.includes("block1/norm/statistics"));
  assert(!names.some((name) => /gamma|seed\/|alpha/.test(name)));
});

/** What `readNetwork` says of a file. */
function refusal(file: NetworkFile): string {
  const { message } = assertThrows(() => readNetwork(writeNetwork(file), "f"), UserError);
  assert(message.startsWith("f: want "), message);
  return message;
}

Deno.test("readNetwork() says what is wrong with a file", () => {
  const { description, tensors } = network;
  const { "head/bias": bias, ...headless } = tensors;
  const [fossil] = description.fossils;
  const cases: [Partial<NetworkFile>, string][] = [
    [
      { tensors: headless },
      'tensor "head/bias" [3] for cnn 4-8 with conv3 in block1, se in block2, affine in block1, got none of that name; export the network again',
    ],
    [{ tensors: { ...tensors, stray: bias } }, 'got "stray"; export'],
    [
      { tensors: { ...tensors, "head/bias": { shape: [3, 1], data: bias.data } } },
      'tensor "head/bias" of F32 [3] for',
    ],
    [{ tensors: { ...tensors, "head/bias": { shape: [3], data: new Int32Array(3) } } }, "got Int32Array [3]"],
    [
      { description: { ...description, host: { kind: "mlp", hidden: [4] } } },
      "host: want examples [F] for a mlp, got [8, 8, 3]",
    ],
    [
      { description: { ...description, fossils: [...description.fossils, { ...fossil, slot: "nowhere" }] } },
      "got: want fossils in block1, block2, got one in nowhere",
    ],
    [{
      description: {
        ...description,
        fossils: [{ slot: "block1", blueprint: { ...fossil.blueprint, nodes: [] } }],
      },
    }, "fossils.0.blueprint.nodes"],
    [
      { description: { ...description, input: { ...INPUT, shape: [2, 2, 3] } } },
      "cnn: want images of at least 4 pixels",
    ],
    [
      { description: { ...description, input: { ...INPUT, shape: [8, 8, 1] } } },
      "input.normalisation: want 1 values of each",
    ],
  ];
  for (const [change, text] of cases) {
    const message = refusal({ ...network, ...change });
    assert(message.includes(text), `${message}\n does not say ${text}`);
  }
});

Deno.test("readNetwork() refuses safetensors of another program", () => {
  const bytes = (metadata: Record<string, string>) =>
    writeSafetensors({ tensors: network.tensors, metadata });
  const said = (metadata: Record<string, string>) =>
    assertThrows(() => readNetwork(bytes(metadata), "f"), UserError).message;
  assertEquals(
    said({ format: "pt" }),
    'f: want a network that `main.ts export` wrote, got no "esper" in the metadata; export it again',
  );
  assert(said({ esper: "{" }).includes("got a description that is not JSON"));
  assert(said({ esper: '{"version":2}' }).includes("got a description with trouble at version"));
  assert(said({ esper: "[".repeat(100_000) }).includes("got a description"));
  assert(said({ esper: " ".repeat(2_000_000) }).includes("got a description of 2000000 characters"));
});
