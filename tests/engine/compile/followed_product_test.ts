/** `tests/conformance` computes these products on each device that is here. */
import { assert, assertEquals } from "@std/assert";
import { NO_HALVES } from "../../../src/engine/compile/storage.ts";
import { dispatchesOf, followedProducts } from "../../support/product_checks.ts";

const LIMITS = { maxWorkgroupBytes: 49_152, maxBufferBytes: 2 ** 30 };
const cpu = { software: true, features: new Set<string>(), ...LIMITS };
const gpu = { ...cpu, software: false };
const matrixGpu = { ...gpu, features: new Set(["shader-f16", "chromium-experimental-subgroup-matrix"]) };

Deno.test("A product in any form is one dispatch with bias, ReLU, residual or blend, on every kind of device", () => {
  assertEquals(followedProducts.length, 4 * 2 * 4);
  for (const product of followedProducts) {
    const kernels = [
      dispatchesOf(product, cpu, NO_HALVES),
      dispatchesOf(product, gpu, NO_HALVES),
      dispatchesOf(product, matrixGpu, new Set(product.operands)),
    ];
    for (const [k, family] of ["register", "tiled", "matrices"].entries()) {
      assertEquals(kernels[k].length, 1, `${product.name}: ${kernels[k]}`);
      assert(
        new RegExp(`^matmul/${family}\\d\\w*\\+(add|add-relu|blend)$`).test(kernels[k][0]),
        `${product.name}: ${kernels[k]}`,
      );
    }
  }
});
