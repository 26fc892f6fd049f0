import { assertEquals, assertRejects } from "@std/assert";
import { inLanes } from "../../src/util/lanes.ts";

Deno.test("inLanes() keeps the order and never has more at one time than it may", async () => {
  let running = 0, most = 0;
  const results = await inLanes([5, 1, 3, 0, 2], 2, async (turns, index) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    running--;
    return [turns, index];
  });
  assertEquals(results, [[5, 0], [1, 1], [3, 2], [0, 3], [2, 4]]);
  assertEquals(most, 2);
});

Deno.test("inLanes() begins nothing after a failure, and throws it once the others have ended", async () => {
  const ended: number[] = [];
  const work = async (piece: number) => {
    if (piece === 1) throw new Error("no");
    await new Promise((resolve) => setTimeout(resolve, 5));
    ended.push(piece);
  };
  await assertRejects(() => inLanes([0, 1, 2, 3], 2, work), Error, "no");
  assertEquals(ended, [0]);
});
