import { assert, assertAlmostEquals, assertNotEquals } from "@std/assert";
import { initialise } from "../../../src/engine/nn/init.ts";

Deno.test("orthogonal weights: the fewer of rows and columns are orthogonal and as long as the gain", () => {
  for (const [rows, columns] of [[4, 64], [64, 4], [16, 16], [64, 1]]) {
    const values = initialise("w", [rows, columns], { kind: "orthogonal", gain: 3 }, 1);
    const wide = rows < columns, count = Math.min(rows, columns), size = Math.max(rows, columns);
    const at = (line: number, k: number) => values[wide ? line * columns + k : k * columns + line];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b <= a; b++) {
        let dot = 0;
        for (let k = 0; k < size; k++) dot += at(a, k) * at(b, k);
        assertAlmostEquals(dot, a === b ? 9 : 0, 1e-5);
      }
    }
    assert(values.every(Number.isFinite));
    assertNotEquals(values, initialise("w", [rows, columns], { kind: "orthogonal", gain: 3 }, 2));
  }
});
