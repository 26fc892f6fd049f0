import { assertEquals, assertRejects } from "@std/assert";
import { atOnce, inTurns, ownTurn } from "../../src/util/turns.ts";

function* counting(to: number): Generator<void, string> {
  for (let k = 0; k < to; k++) yield;
  return `${to}`;
}

/** Work that keeps the thread busy for so long between two pauses. */
function* busy(pauses: number, ms: number, done: () => void): Generator<void, void> {
  for (let k = 0; k < pauses; k++) {
    for (const end = performance.now() + ms; performance.now() < end;);
    done();
    yield;
  }
}

Deno.test("atOnce() and inTurns() give what the work returns", async () => {
  assertEquals(atOnce(counting(3)), "3");
  assertEquals(await inTurns(counting(3)), "3");
});

Deno.test("inTurns() passes on what the work throws", async () => {
  const work = function* (): Generator<void, void> {
    yield;
    throw new Error("no room");
  };
  await assertRejects(() => inTurns(work()), Error, "no room");
});

Deno.test("ownTurn() lets one caller go on between two turns of others", async () => {
  const order: string[] = [];
  const callers = ["a", "b", "c"].map((name) => ownTurn().then(() => void order.push(name)));
  for (let k = 0; order.length < 3; k++) {
    await new Promise((resolve) => setTimeout(resolve));
    order.push(`loop ${k}`);
    assertEquals(order.filter((name) => !name.startsWith("loop")).length <= k + 1, true);
    if (order.filter((name) => !name.startsWith("loop")).length === 3) break;
  }
  await Promise.all(callers);
  assertEquals(order.filter((name) => !name.startsWith("loop")), ["a", "b", "c"]);
});

Deno.test("inTurns() lets a loop have its turn between any two slices, however many pieces of work there are", async () => {
  let slices = 0, most = 0, open = 4;
  const all = Array.from({ length: open }, () => inTurns(busy(5, 3, () => slices++)).finally(() => open--));
  while (open > 0) {
    const before = slices;
    await new Promise((resolve) => setTimeout(resolve));
    most = Math.max(most, slices - before);
  }
  await Promise.all(all);
  assertEquals([slices, most], [20, 1]);
});
