import { assertEquals } from "@std/assert";
import { foldIndices } from "../../../src/engine/gpu/fold.ts";

const CONSTANTS =
  "const A: u32 = 6u;\nconst B: u32 = A / 4u;\nconst C: u32 = max(1u, 32u / (A + 2u));\nconst D: u32 = f(A);\n";
const index = (text: string) => foldIndices(`${CONSTANTS}x[${text}];`).slice(CONSTANTS.length + 2, -2);

Deno.test("foldIndices() computes indices of literals and of constants declared by such", () => {
  const cases: [string, string][] = [
    ["5u", "5u"],
    ["(0u * A + 1u) * 4u + 1u", "5u"],
    ["7u / 2u * 2u", "6u"],
    ["A % 4u - B", "1u"],
    ["C * 10u + min(A, 3u)", "43u"],
    ["10u - 2u - 3u", "5u"],
  ];
  assertEquals(cases.map(([text]) => index(text)), cases.map(([, folded]) => folded));
});

Deno.test("foldIndices() computes the constant part of a sum", () => {
  assertEquals(index("base + (3u * A + 1u)"), "base + 19u");
  assertEquals(index("base + 3u * A"), "base + 18u");
  assertEquals(index("(base + 1u) * (A - 2u)"), "(base + 1u) * 4u");
  assertEquals(index("base - 1u + 3u"), "base - 1u + 3u");
});

Deno.test("foldIndices() leaves alone what is not u32, not known, or would wrap", () => {
  const same = [
    "i",
    "f(3u)",
    "f (3u)",
    "D + 1u",
    "2u - 3u",
    "4294967295u + 1u",
    "1u / 0u",
    "3",
    "1i + 2i",
    "(1u + 2u",
    "1u 2u",
    "A.x",
    "base * 2u + 1u",
    "vec2<u32>(1u)",
  ];
  assertEquals(same.map(index), same);
});

Deno.test("foldIndices() touches nothing outside of indices", () => {
  const code = "if (2u > 1u) { let y = (1u + 2u) * 3u; } // [";
  assertEquals(foldIndices(code), code);
});
