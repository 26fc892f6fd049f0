/** That no kernel goes unchecked, on devices that are not here, either. */
import { assert, assertEquals } from "@std/assert";
import { allCases } from "../cases/all.ts";
import { choicesOf } from "../support/case_checks.ts";
import { halfCallOf, type HalfStorage, storagesOf } from "../support/half_checks.ts";
import { halfChecksOf, kernelsToCheck } from "../support/kernel_plan.ts";

const MATRIX_UNITS = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
const LIMITS = { maxWorkgroupBytes: 32_768, maxBufferBytes: 2 ** 30 };
const cpu = { software: true, features: new Set(["shader-f16"]), ...LIMITS };
const gpu = { ...cpu, software: false };
const matrixGpu = { ...gpu, features: new Set(MATRIX_UNITS), maxWorkgroupBytes: 49_152 };
const ops = [...new Set(allCases.map(({ op }) => op))];
const casesOf = (op: string) => allCases.filter((opCase) => opCase.op === op);
const textOf = ({ inputs, result }: HalfStorage) => `${inputs}${result ? " and the result" : ""}`;
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

Deno.test("storagesOf() are all operands, with the result where it may be, and each input alone", () => {
  const storages = (name: string) => storagesOf(allCases.find((opCase) => opCase.op === name)!).map(textOf);
  assertEquals(storages("conv2d"), ["0,1 and the result", "0", "1"]);
  assertEquals(storages("matmul"), ["0,1", "0", "1"]);
  assertEquals(storages("mul"), ["0,1 and the result"]);
  assertEquals(storages("sum"), ["0"]);
});

Deno.test("halfChecksOf() has every variant that a device takes for halves alone, in every storage it fits", () => {
  let found = 0;
  for (const op of ops) {
    const fitting = casesOf(op).flatMap((opCase) => {
      const floats = choicesOf(opCase, matrixGpu).map(({ id }) => id);
      return storagesOf(opCase).flatMap((storage) =>
        choicesOf(opCase, matrixGpu, halfCallOf(opCase, storage))
          .filter(({ id }) => !floats.includes(id)).map(({ id }) => `${id}: ${textOf(storage)}`)
      );
    });
    const checked = halfChecksOf(casesOf(op), matrixGpu)
      .map(({ choice, storage }) => `${choice.id}: ${textOf(storage)}`);
    assertEquals(sorted(fitting.filter((name) => !checked.includes(name))), [], op);
    found += sorted(fitting).length;
  }
  assert(found >= 4 * 7 * 3, `want the tiles of matrix units in each storage of each product, got ${found}`);
});

Deno.test("halfChecksOf() has each tile of matrix units with all ways to transpose", () => {
  const checks = halfChecksOf(casesOf("matmul"), matrixGpu)
    .filter(({ choice }) => choice.id.startsWith("matrices"));
  const tiles = sorted(checks.map(({ choice }) => choice.id));
  assert(tiles.length >= 7, tiles.join());
  for (const tile of tiles) {
    const cases = checks.filter(({ choice }) => choice.id === tile).map(({ opCase }) => opCase);
    const forms = cases.map(({ attrs }) => `${attrs!.transposeA} ${attrs!.transposeB}`);
    assertEquals(sorted(forms).length, 4, tile);
  }
});

Deno.test("halfChecksOf() has the kernels that suit floats too, each input by itself", () => {
  for (const device of [cpu, gpu, matrixGpu]) {
    for (const op of ["matmul", "conv2d", "conv2dInputGradient", "conv2dWeightGradient", "groupNormSums"]) {
      const checks = halfChecksOf(casesOf(op), device);
      for (const storage of storagesOf(casesOf(op)[0]).map(textOf)) {
        const same = checks.filter((check) => textOf(check.storage) === storage);
        assert(same.some(({ choice }) => !choice.id.startsWith("matrices")), `${op}: ${storage}`);
      }
    }
  }
});

Deno.test("halfChecksOf() has all kernels of products but those that differ from a checked one in size", () => {
  const families = (ids: readonly string[]) => sorted(ids.map((id) => id.replace(/\d+x\d+$/, "")));
  for (const device of [cpu, gpu]) {
    for (const op of ["matmul", "conv2d", "conv2dInputGradient", "conv2dWeightGradient"]) {
      const all = casesOf(op).flatMap((opCase) =>
        storagesOf(opCase).flatMap((storage) => choicesOf(opCase, device, halfCallOf(opCase, storage)))
      ).map(({ id }) => id);
      const checked = halfChecksOf(casesOf(op), device).map(({ choice }) => choice.id);
      assertEquals(families(checked), families(all), op);
    }
  }
});

Deno.test("kernelsToCheck() has what a device takes by itself in every case", () => {
  for (const foreign of ["every case", "largest case"] as const) {
    for (const op of ops) {
      const plan = kernelsToCheck(casesOf(op), cpu, foreign);
      for (const opCase of casesOf(op)) {
        const [own] = choicesOf(opCase, cpu).filter(({ first }) => first);
        assert(plan.get(opCase)!.some(({ id }) => id === own.id), opCase.name);
      }
    }
  }
});

Deno.test("kernelsToCheck() has products of any size where compilers are slow, once for each text", () => {
  const plan = kernelsToCheck(casesOf("matmul"), cpu, "largest case");
  const tiled = [...plan].filter(([, choices]) => choices.some(({ id }) => id.startsWith("tiled")));
  const fours = tiled.map(([{ inputs }]) => inputs[1].shape.every((side) => side % 4 === 0));
  assertEquals(fours, [true, false], tiled.map(([{ name }]) => name).join());
});
