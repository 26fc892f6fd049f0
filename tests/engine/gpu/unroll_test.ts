import { assertEquals, assertThrows } from "@std/assert";
import { unroll } from "../../../src/engine/gpu/unroll.ts";

/** WGSL with the indentation of its lines and the line breaks left out. */
const compact = (code: string) => code.split("\n").map((line) => line.trim()).join(" ").trim();

Deno.test("unroll() writes out a marked loop with its index as a literal", () => {
  const code =
    "  // unroll\n  for (var i = 0u; i < 2u; i++) {\n    sums[i] += first[i * 4u];\n  }\n  last(i1);\n";
  assertEquals(
    compact(unroll("test", code)),
    "{ sums[0u] += first[0u * 4u]; } { sums[1u] += first[1u * 4u]; }  last(i1);",
  );
});

Deno.test("unroll() writes out loops within loops, each with its own index", () => {
  const code = `// unroll
for (var p = 0u; p < 2u; p++) {
  if (p < M) { a = left[p]; }
  // unroll
  for (var q = 0u; q < 2u; q++) {
    sums[p * 2u + q] += a;
  }
}
`;
  const row = (p: number) =>
    `{ if (${p}u < M) { a = left[${p}u]; } ` +
    [0, 1].map((q) => `{ sums[${p}u * 2u + ${q}u] += a; }`).join(" ") + " }";
  assertEquals(compact(unroll("test", code)).replace(/ +/g, " "), `${row(0)} ${row(1)}`);
});

Deno.test("unroll() takes a constant of literal value for the limit, and none at zero", () => {
  const code = (count: number) =>
    `const COUNT: u32 = ${count}u;\n// unroll\nfor (var i = 0u; i < COUNT; i++) {\n  f(i);\n}\n`;
  assertEquals(compact(unroll("test", code(3))), "const COUNT: u32 = 3u; { f(0u); } { f(1u); } { f(2u); }");
  assertEquals(compact(unroll("test", code(0))), "const COUNT: u32 = 0u;");
});

Deno.test("unroll() names kernel and limit where the limit is not known", () => {
  const code = "const COUNT: u32 = 2u * N;\n// unroll\nfor (var i = 0u; i < COUNT; i++) {\n  f(i);\n}\n";
  assertThrows(
    () => unroll("conv2d/test", code),
    Error,
    "internal: kernel conv2d/test cannot unroll to COUNT, which is no literal constant",
  );
});

Deno.test("unroll() leaves a loop alone that is not marked", () => {
  const code = "// unrolled by the driver\nfor (var i = 0u; i < 2u; i++) {\n  f(i);\n}\n";
  assertEquals(unroll("test", code), code);
});
