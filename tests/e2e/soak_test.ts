import { assert, assertEquals } from "@std/assert";
import { soak } from "./soak.ts";

Deno.test("kill -9 at three random moments, with power cuts: the same bits and log as undisturbed, and it replays", async () => {
  const seed = String(Date.now());
  console.log(`seed ${seed}`);
  const { kills, runs } = await soak(3, seed, console.log);
  assertEquals(kills, 3);
  assert(runs >= 1);
});
