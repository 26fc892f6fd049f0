import { assertEquals, assertThrows } from "@std/assert";
import { KernelChoices, kernelKey } from "../../../src/engine/tune/choices.ts";
import type { Call, DeviceTraits, Variant } from "../../../src/engine/gpu/kernel.ts";
import { UserError } from "../../../src/util/errors.ts";

const call: Call = {
  inputs: [{ shape: [8, 4], dtype: "f32" }, { shape: [8], dtype: "u32" }],
  output: { shape: [], dtype: "f32" },
  attrs: { scale: 0.5, axes: [0, 1] },
};
const device = {} as DeviceTraits;
const variant = (id: string, fits = true): Variant => ({ id, fits: () => fits, lower: () => null! });
const variants = [variant("never", false), variant("first"), variant("second")];
const key = "pick f32[8, 4] u32[8] -> f32[] axes=0,1 scale=0.5";
const source = (id: string, origin = "file") => ({ variants: { [key]: id }, origin, cure: "tune again" });

Deno.test("kernelKey() names op, operands, result and attributes", () => {
  assertEquals(kernelKey("pick", call), key);
});

Deno.test("KernelChoices chooses as the first source that knows, else the first that fits, and remembers", () => {
  const plain = new KernelChoices();
  assertEquals(plain.choose("pick", variants, call, device).id, "first");
  assertEquals(plain.used, { [key]: "first" });
  const tuned = new KernelChoices([source("second"), source("first")], { "another case": "old" });
  assertEquals(tuned.choose("pick", variants, call, device).id, "second");
  assertEquals(tuned.used, { "another case": "old", [key]: "second" });
  const foreign = new KernelChoices([{ ...source("second"), variants: { "another case": "second" } }]);
  assertEquals(foreign.choose("pick", variants, call, device).id, "first");
});

for (const [id, what] of [["gone", "there is not"], ["never", "does not fit"]]) {
  Deno.test(`KernelChoices refuses a variant that ${what}`, () => {
    assertThrows(
      () => new KernelChoices([source(id, "tuned.json")]).choose("pick", variants, call, device),
      UserError,
      `tuned.json: ${key}: want one of first, second, got "${id}"; tune again`,
    );
  });
}
