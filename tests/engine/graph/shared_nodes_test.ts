import { assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { add, full, mul, relu } from "../../../src/engine/ops/elementwise.ts";
import { parameter, stepInput, withSharedNodes } from "../../../src/engine/graph/tensor.ts";
import { reachable } from "../../../src/engine/graph/trace.ts";

const network = () => relu(add(mul(stepInput("x", [2, 3]), parameter("w", [3])), 1));

Deno.test("withSharedNodes() makes a second trace the same nodes", () => {
  withSharedNodes(() => assertStrictEquals(network(), network()));
});

Deno.test("withSharedNodes() shares what comes before a change, not what follows", () => {
  withSharedNodes(() => {
    const head = network();
    const [plain, changed] = [mul(head, 2), mul(add(head, parameter("seed", [3])), 2)];
    assertNotStrictEquals(plain, changed);
    assertEquals(reachable([plain, changed]).length - reachable([plain]).length, 3);
  });
});

Deno.test("withSharedNodes() tells attributes apart, -0 and NaN included", () => {
  withSharedNodes(() => {
    assertNotStrictEquals(full([], 0), full([], -0));
    assertNotStrictEquals(full([1, 1], 0), full([11], 0));
    assertStrictEquals(full([], NaN), full([], NaN));
  });
});

Deno.test("withSharedNodes() ends with its function, also when that throws", () => {
  assertThrows(() =>
    withSharedNodes(() => {
      throw new Error("stop");
    })
  );
  assertNotStrictEquals(network(), network());
});

Deno.test("withSharedNodes() keeps a nested call apart and goes on after it", () => {
  withSharedNodes(() => {
    const outer = network();
    assertNotStrictEquals(outer, withSharedNodes(network));
    assertStrictEquals(outer, network());
  });
});

Deno.test("withSharedNodes() refuses two sources of one name", () => {
  withSharedNodes(() => {
    parameter("w", [3]);
    assertThrows(
      () => parameter("w", [4]),
      TypeError,
      'parameter "w": declared as parameter "w" f32 [3] and as f32 [4]',
    );
  });
});
