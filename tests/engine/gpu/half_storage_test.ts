import { assert, assertEquals, assertThrows } from "@std/assert";
import { storeHalves } from "../../../src/engine/gpu/half_storage.ts";
import { bindingAccess, specialize } from "../../../src/engine/gpu/specialize.ts";
import { onEachDevice } from "../../support/devices.ts";
import { shaderModules } from "../../support/shader_modules.ts";

const HEAD = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> at: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
`;

/** What becomes of a kernel's body where x and y are halves. */
function rewritten(body: string, head = HEAD): string {
  const text = storeHalves("test", `${head}${body}`, [true, false, true]);
  assert(text.startsWith("enable f16; "));
  return text.split("\n").slice(HEAD.split("\n").length - 1).join("\n").trimEnd();
}

Deno.test("storeHalves() leaves a kernel alone that has no halves", () => {
  assertEquals(storeHalves("test", "// as it is", [false, false]), "// as it is");
});

Deno.test("storeHalves() declares the arrays of halves, and no others, as such", () => {
  assertEquals(
    storeHalves("test", HEAD, [true, false, true]),
    `enable f16; @group(0) @binding(0) var<storage, read> x: array<vec4<f16>>;
@group(0) @binding(1) var<storage, read> at: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f16>;
`,
  );
  assertEquals(bindingAccess(storeHalves("test", HEAD, [true, false, true])), bindingAccess(HEAD));
});

Deno.test("storeHalves() converts loads wherever they stand, and stores", () => {
  const cases: [string, string][] = [
    ["let a = x[i];", "let a = vec4f(x[i]);"],
    [
      "let a = 2.0 * x[at[x2[i] + (3u)]].w + x[0][1];",
      "let a = 2.0 * vec4f(x[at[x2[i] + (3u)]]).w + vec4f(x[0])[1];",
    ],
    [
      "y[u32(x[0].x)] = dot(x[1],\n  x[2]);",
      "y[u32(vec4f(x[0]).x)] = f16(dot(vec4f(x[1]),\n  vec4f(x[2])));",
    ],
    ["if (x[i].x == 1.0) { y[i] = 1.0; }", "if (vec4f(x[i]).x == 1.0) { y[i] = f16(1.0); }"],
    ["if (y[i] >= 1.0 && y[j] <= 2.0) { return; }", "if (f32(y[i]) >= 1.0 && f32(y[j]) <= 2.0) { return; }"],
    ["total.x += x[i].y * v.x;", "total.x += vec4f(x[i]).y * v.x;"],
    ["let a = at[i] & u32(y[i]);", "let a = at[i] & u32(f32(y[i]));"],
    ["y[i] = y[i] + 1.0; // not x[i]", "y[i] = f16(f32(y[i]) + 1.0);"],
    ["/* y[i] */ y[0] = 0.0;", "           y[0] = f16(0.0);"],
  ];
  for (const [body, want] of cases) assertEquals(rewritten(body), want);
});

Deno.test("storeHalves() passes bits through where a kernel moves u32", () => {
  const head = HEAD.replace("vec4f", "vec4u").replace("y: array<f32>", "y: array<u32>");
  assertEquals(
    rewritten("y[i] = x[i].x;", head),
    "y[i] = f16(bitcast<f32>(bitcast<vec4u>(vec4f(x[i])).x));",
  );
});

Deno.test("storeHalves() follows an alias, and leaves alone what is written for halves", () => {
  const head = HEAD.replace("vec4f", "T").replace("y: array<f32>", "y: array<f16>");
  assertEquals(
    storeHalves("test", `alias T = vec4f;\n${head}y[0] = f16(x[0].x);`, [true, false, true]),
    `enable f16; alias T = vec4f;\n${head.replace("<T>", "<vec4<f16>>")}y[0] = f16(vec4f(x[0]).x);`,
  );
});

Deno.test("storeHalves() tells a binding from a local variable or a parameter of its name", () => {
  const cases: [string, string][] = [
    ["fn f(x: vec4f, k: u32) -> f32 { return x[k]; }\nlet a = x[0];", "let a = vec4f(x[0]);"],
    ["fn f(k: u32, x: vec4f) -> f32 { return x[k]; }\nlet a = x[0];", "let a = vec4f(x[0]);"],
    ["for (var x = 0u; x < 4u; x++) { v[x] += f(x); }\nlet a = x[0];", "let a = vec4f(x[0]);"],
    ["{ var x: array<f32, 4>; x[0] += 1.0; { x[1] = 2.0; } }\nlet a = x[0];", "let a = vec4f(x[0]);"],
    ["{ let x = 1u; }\nlet a = x[0];", "let a = vec4f(x[0]);"],
  ];
  for (const [body, want] of cases) {
    const [local] = body.split("\n");
    assertEquals(rewritten(body), `${local}\n${want}`);
  }
  assertEquals(rewritten("{ let x = x[0]; let b = x[1]; }"), "{ let x = vec4f(x[0]); let b = x[1]; }");
});

Deno.test("storeHalves() refuses what it does not know", () => {
  const cases: [string, RegExp][] = [
    ["y[i] += 1.0;", /^internal: kernel test cannot hold halves: y is assigned by \+=$/],
    ["y[i]++;", /y is assigned by \+\+$/],
    ["x[i].y = 1.0;", /a component of x is assigned$/],
    ["x[i][2] *= 1.0;", /a component of x is assigned$/],
    ["load(&x);", /a pointer to x is taken$/],
    ["let p = &y[2];", /a pointer to y is taken$/],
    ["let n = arrayLength(&x);", /a pointer to x is taken$/],
    ["let a = x;", /x is used without an index$/],
  ];
  for (const [body, message] of cases) assertThrows(() => rewritten(body), Error, message);
  assertThrows(
    () => rewritten("", HEAD.replace("<f32>", "<Row>")),
    Error,
    "internal: kernel test cannot hold halves: y is an array of Row",
  );
});

onEachDevice(
  "storeHalves() makes valid WGSL of every shader, all its numbers halves",
  async ({ device, traits }) => {
    if (!traits.features.has("shader-f16")) return;
    const faults: string[] = [];
    for (const { name, code } of shaderModules(traits.features)) {
      const source = specialize(name, code, {});
      const halves: boolean[] = [];
      for (
        const [, binding, type] of source.matchAll(/@binding\((\d+)\) var<storage, \w+> \w+: array<(\w+)>/g)
      ) {
        halves[Number(binding)] = type === "f32" || type === "vec4f";
      }
      const module = device.createShaderModule({ code: storeHalves(name, source, halves) });
      const { messages } = await module.getCompilationInfo();
      faults.push(
        ...messages.filter(({ type }) => type === "error").map(({ message }) => `${name}: ${message}`),
      );
    }
    assertEquals(faults, []);
  },
);
