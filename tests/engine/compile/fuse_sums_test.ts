import { assert, assertEquals } from "@std/assert";
import { compile, type Write } from "../../../src/engine/compile/program.ts";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { relu } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { fillInput, testRandom } from "../../support/values.ts";

/** Products with few results and a long k, which is split into parts: of k, rows and columns. Slow compilers get two shapes. */
const PRODUCTS = [0, 1, 0, 0, 1, 0, 0, 1, 0].map((other) => other ? [1152, 4, 12] : [256, 12, 4]);
/** Numbers from one result to the next in the common buffer. */
const PITCH = 256;

function products() {
  const random = testRandom("sums of parts");
  const feeds: Record<string, Float32Array<ArrayBuffer>> = {};
  const input = (name: string, shape: readonly number[]) => {
    feeds[name] = Float32Array.from(fillInput({ shape }, random));
    return resident(name, shape, "f32");
  };
  const results = PRODUCTS.map(([k, m, n], at) =>
    matmul(input(`a${at}`, [k, m]), input(`b${at}`, [k, n]), { transposeA: true })
  );
  return { feeds, results };
}

/** Runs the products as on a GPU: the numbers of the common buffer, and the dispatches. */
async function run(
  own: Gpu,
  { results, feeds }: ReturnType<typeof products>,
  outputs: Record<string, Tensor>,
  places: readonly number[] = results.map((_, at) => at),
) {
  const gpu = { ...own, traits: { ...own.traits, software: false } };
  const buffers = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => [name, gpu.allocator.upload(name, values)]),
  );
  const target = gpu.allocator.upload("target", new Float32Array(PRODUCTS.length * PITCH).fill(7));
  const writes: Write[] = results.map((tensor, at) => ({
    tensor,
    into: { ...target, offset: 4 * PITCH * places[at], size: 4 * PITCH },
  }));
  const program = await compile(gpu, {
    label: "sums",
    writes,
    outputs,
    memory: ({ name }) => buffers[name],
    choose: (_, variants) => variants.find(({ id }) => id === "tiled64x16")!,
  });
  replay(gpu, program.dispatches);
  const numbers = await readFloats(gpu, target, PRODUCTS.length * PITCH);
  const names = program.dispatches.map(({ name }) => name);
  program.destroy();
  for (const view of [...Object.values(buffers), target]) gpu.allocator.free(view);
  return { numbers, names };
}

const count = (names: readonly string[], name: string) => names.filter((other) => other === name).length;

onEachDevice(
  "Parts of several results in one buffer are added up by one dispatch, seven at a time",
  async (gpu) => {
    const made = products();
    const { numbers, names } = await run(gpu, made, {});
    assertEquals(names.filter((name) => !name.startsWith("matmul/tiled")), ["fused/sums", "fused/sums"]);
    assertEquals(names.indexOf("fused/sums"), 7);
    const want = evaluate(made.results, made.feeds);
    for (const [at, values] of want.entries()) {
      const got = numbers.slice(at * PITCH, (at + 1) * PITCH);
      assertClose(
        got.slice(0, values.length),
        values,
        { slack: 64, terms: PRODUCTS[at][0] },
        `product ${at}`,
      );
      assert(got.slice(values.length).every((value) => value === 7), `behind product ${at}`);
    }
    const places = made.results.map((_, at) => PRODUCTS.length - 1 - at);
    const reversed = await run(gpu, made, {}, places);
    assertEquals(places.flatMap((at) => [...reversed.numbers.slice(at * PITCH, (at + 1) * PITCH)]), [
      ...numbers,
    ]);
  },
);

onEachDevice("Sums that something reads are dispatches of their own, with the same bits", async (gpu) => {
  const made = products();
  const { numbers } = await run(gpu, made, {});
  // What is read as well is copied to where the caller wants it.
  const apart = await run(gpu, made, Object.fromEntries(made.results.map((y, at) => [`${at}`, relu(y)])));
  assertEquals(count(apart.names, "fused/sums"), 0);
  assertEquals(count(apart.names, "matmul/sum"), PRODUCTS.length);
  assertEquals(apart.numbers, numbers);
});
