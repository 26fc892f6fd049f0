import {
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  AssertionError,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";

Deno.test("assertEquals() compares typed arrays and NaN by value", () => {
  assertEquals(new Float32Array([1, NaN]), new Float32Array([1, NaN]));
  assertThrows(() => assertEquals([1], [2]), AssertionError);
  assertNotEquals(0, -0);
});

Deno.test("assertAlmostEquals() fails on NaN and names the distance", () => {
  assertAlmostEquals(1, 1 + 1e-9);
  assertAlmostEquals(1, 1.05, 0.1);
  assertThrows(() => assertAlmostEquals(NaN, 1), AssertionError);
  assertThrows(() => assertAlmostEquals(1, 2, 0.5), AssertionError, "want 2 within 0.5, got 1 (off by 1)");
});

Deno.test("assertThrows() checks class and text and returns the error", () => {
  const error = assertThrows(
    () => {
      throw new RangeError("want 3");
    },
    RangeError,
    "want 3",
  );
  assertEquals(error.message, "want 3");
  const wrongClass = () =>
    assertThrows(() => {
      throw new Error("x");
    }, RangeError);
  assertThrows(wrongClass, AssertionError, "want an error of class RangeError, got Error: x");
  assertThrows(() => assertThrows(() => 1), AssertionError, "want a throw, got a return");
});

Deno.test("assertRejects() tells a rejection from a throw and from success", async () => {
  await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, /^no$/);
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError, "got a fulfilled one");
  const throws = () => {
    throw new Error("early");
  };
  await assertRejects(() => assertRejects(throws), AssertionError, "synchronous throw of Error: early");
});

Deno.test("assertArrayIncludes() and assertObjectMatch() look inside", () => {
  assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  assertThrows(() => assertArrayIncludes([1], [2]), AssertionError, "want [1] to include [2]");
  assertObjectMatch({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } });
  assertThrows(() => assertObjectMatch({ a: 1 }, { a: 2 }), AssertionError);
});
