import type { SeedMode } from "../../src/contracts/growth.ts";
import { assertEquals, assertNotEquals } from "@std/assert";
import type { Stage } from "../../src/contracts/control.ts";
import { STAGES } from "../../src/contracts/lifecycle.ts";
import {
  type Incubation,
  modeOf,
  type PlantedSeed,
  seedsWith,
  type Topology,
  topologyKey,
} from "../../src/tolaria/growable.ts";

const incubating: [Incubation, SeedMode][] = [["shadow", "shadow"], ["none", "blend"], ["ste", "ste"]];

for (const [incubation, mode] of incubating) {
  Deno.test(`modeOf() holds a young seed as ${mode} where incubation is ${incubation}`, () => {
    const wanted: Partial<Record<Stage, SeedMode>> = {
      GERMINATED: mode,
      TRAINING: mode,
      BLENDING: "blend",
      HOLDING: "blend",
      FOSSILIZED: "fossil",
    };
    for (const stage of STAGES) assertEquals(modeOf(stage, incubation), wanted[stage] ?? null, stage);
  });
}

const seed = (changes: Partial<PlantedSeed> = {}): PlantedSeed => ({
  seed: "a/1",
  blueprint: "se",
  mode: "shadow",
  ...changes,
});

Deno.test("topologyKey() tells slots, generations and modes apart", () => {
  assertEquals(topologyKey({}), "");
  assertEquals(topologyKey({ a: seed() }), topologyKey({ a: seed() }));
  const others: Topology[] = [
    { a: seed({ mode: "blend" }) },
    { a: seed({ seed: "a/2" }) },
    { b: seed() },
    { a: seed(), b: seed({ seed: "b/1" }) },
    {},
  ];
  for (const other of others) assertNotEquals(topologyKey(other), topologyKey({ a: seed() }));
});

Deno.test("seedsWith() keeps the seeds whose mode passes, in order", () => {
  const topology = { a: seed(), b: seed({ mode: "fossil" }), c: seed({ mode: "blend" }) };
  assertEquals(Object.keys(seedsWith(topology, (mode) => mode !== "fossil")), ["a", "c"]);
  assertEquals(seedsWith(topology, () => false), {});
});
