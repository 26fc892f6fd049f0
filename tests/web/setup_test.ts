import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { configOf } from "../../src/web/run_config.ts";
import {
  faultOf,
  FIELD_NAMES,
  type FieldName,
  FIELDS,
  type FieldSpec,
  formatSetup,
  parseSetup,
  type Setup,
} from "../../src/web/setup.ts";

function values({ field }: FieldSpec): fc.Arbitrary<string> {
  if (field.kind === "choice") return fc.constantFrom(...Object.keys(field.of));
  if (field.kind === "switch") return fc.constantFrom("yes", "no");
  if (field.kind === "widths") {
    return fc.array(fc.integer({ min: 1, max: field.max }), { minLength: 1, maxLength: field.most }).map(
      String,
    );
  }
  const { min, max, step } = field;
  return (step === 1 ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true })).map(String);
}

const setups = fc.record(
  Object.fromEntries(FIELD_NAMES.map((name) => [name, values(FIELDS[name])])) as Record<
    FieldName,
    fc.Arbitrary<string>
  >,
).map((setup): Setup => ({ ...setup }));

Deno.test("every setup comes back from its address, and is one that can be run", () => {
  fc.assert(
    fc.property(setups, (setup) => {
      assertEquals(parseSetup(`#${formatSetup(setup)}`), { setup, faults: [] });
      assertEquals(configOf(setup, 4000).seed, Number(setup.seed));
    }),
    { numRuns: 60, seed: 1 },
  );
});

Deno.test("the address says only what differs, and what is wrong in it is named and left at its default", () => {
  const { setup } = parseSetup("");
  assertEquals(formatSetup(setup), "");
  const { setup: read, faults } = parseSetup("#seed=-3&hidden=8,900&arms=4&controller=me&data=");
  assertEquals(formatSetup(read), "arms=4");
  assertEquals(faults, [
    "Data: want one of spirals, digits, images",
    "Who decides: want one of heuristic, gnn, random, off",
    "Seed: want a whole number from 0 to 4294967295",
    "Layers: want up to 4 numbers from 1 to 64, such as 6,6",
  ]);
  assertEquals(faultOf("noise", "0.3"), "Noise: want a number from 0 to 0.2");
});
