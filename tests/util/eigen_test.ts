import { assert } from "@std/assert";
import { eigenOfSymmetric } from "../../src/util/eigen.ts";
import { prng } from "../../src/util/prng.ts";

const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function assertNear(got: number, want: number, what: string): void {
  assert(Math.abs(got - want) < 1e-12, `${what}: want ${want}, got ${got}`);
}

Deno.test("eigenOfSymmetric() gives orthonormal vectors that the matrix only stretches, largest first", () => {
  for (const n of [1, 2, 5, 12]) {
    const { normal } = prng(n, "eigen");
    const half = Array.from({ length: n }, () => Array.from({ length: n }, normal));
    const matrix = half.map((row, i) => row.map((x, j) => x + half[j][i]));
    const { values, vectors } = eigenOfSymmetric(matrix);
    for (const [k, vector] of vectors.entries()) {
      assert(k === 0 || values[k] <= values[k - 1], "descending");
      matrix.forEach((row, i) => assertNear(product(row, vector), values[k] * vector[i], `${n}: A v`));
      vectors.forEach((other, m) => assertNear(product(vector, other), Number(m === k), `${n}: v·v`));
    }
  }
});

Deno.test("eigenOfSymmetric() leaves a diagonal matrix as it is, repeated values and zeros included", () => {
  const { values, vectors } = eigenOfSymmetric([[0, 0, 0], [0, 2, 0], [0, 0, 2]]);
  assert(JSON.stringify(values) === "[2,2,0]", `got ${values}`);
  assert(JSON.stringify(vectors) === "[[0,1,0],[0,0,1],[1,0,0]]", `got ${JSON.stringify(vectors)}`);
});
