/** What the tree promises about itself: directions, sizes, nothing unused, nothing unchecked. */
import { assert, assertEquals } from "@std/assert";
import { opTable } from "../src/engine/ops/table.ts";
import { allCases } from "./cases/all.ts";
import { onEachDevice } from "./support/devices.ts";
import { importFault, mayUseRuntime } from "./support/layers.ts";
import { shaderModules } from "./support/shader_modules.ts";
import { importCycles, importsOf, sourceFiles } from "./support/source_files.ts";

const code = ["main.ts", ...sourceFiles(["src", "kernels"], [".ts"])];
const tests = sourceFiles(["tests"], [".ts"]);
const shaders = sourceFiles(["shaders"], [".wgsl"]);
const imports = code.flatMap(importsOf);

function linesOf(path: string): number {
  return Deno.readTextFileSync(path).trimEnd().split("\n").length;
}

/** Lines allowed: tables and contracts may be longer than code, WGSL is shorter. */
function budgetOf(path: string): number {
  if (path.endsWith(".wgsl")) return 300;
  if (path.startsWith("tests/")) return 600;
  return /^src\/contracts\/|\/table\.ts$/.test(path) ? 500 : 400;
}

Deno.test("imports point one way", () => {
  const faults = imports.map(({ from, to, how }) => to === null ? null : importFault(from, to, how));
  assertEquals(faults.filter((fault) => fault !== null), []);
});

Deno.test("importFault() knows a wrong direction from a right one", () => {
  const wrong: [string, string, "value" | "type" | "dynamic"][] = [
    ["src/util/a.ts", "src/contracts/b.ts", "type"],
    ["src/engine/gpu/a.ts", "kernels/b.ts", "value"],
    ["kernels/a.ts", "src/engine/gpu/device.ts", "type"],
    ["src/kasmina/a.ts", "src/tolaria/b.ts", "type"],
    ["src/kasmina/a.ts", "src/oona/bus.ts", "value"],
    ["src/tolaria/a.ts", "src/app/b.ts", "value"],
    ["src/app/a.ts", "src/app/adapters/b.ts", "value"],
    ["src/app/a.ts", "tests/support/b.ts", "value"],
  ];
  for (const [from, to, how] of wrong) {
    assert(importFault(from, to, how) !== null, `${from} may import ${to}`);
  }
  const right: [string, string, "value" | "type" | "dynamic"][] = [
    ["src/kasmina/a.ts", "src/oona/bus.ts", "type"],
    ["src/app/a.ts", "src/app/adapters/b.ts", "dynamic"],
    ["kernels/a.ts", "shaders/a/b.wgsl", "value"],
    ["tests/a.ts", "src/app/b.ts", "value"],
  ];
  for (const [from, to, how] of right) assertEquals(importFault(from, to, how), null);
});

Deno.test("no files import each other in a circle", () => {
  assertEquals(importCycles(imports), []);
});

Deno.test("importCycles() finds a circle", () => {
  const edge = (from: string, to: string) => ({ from, to, specifier: to, how: "value" as const });
  assertEquals(importCycles([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("d", "a")]), [[
    "a",
    "b",
    "c",
  ]]);
});

Deno.test("files stay small", () => {
  const long = [...code, ...tests, ...shaders].filter((path) => linesOf(path) > budgetOf(path));
  assertEquals(long.map((path) => `${path}: ${linesOf(path)} lines, want ${budgetOf(path)}`), []);
});

Deno.test("the runtime is reached through adapters, cli and report only", () => {
  const faults = imports.filter(({ from, specifier }) =>
    specifier.startsWith("node:") && !mayUseRuntime(from)
  );
  assertEquals(faults.map(({ from, specifier }) => `${from}: ${specifier}`), []);
});

Deno.test("WGSL stands in shaders/ and is written by the fuser only", () => {
  const inline = code.filter((path) => !path.startsWith("src/engine/compile/fuse"))
    .filter((path) => /@compute|@workgroup_size/.test(Deno.readTextFileSync(path)));
  assertEquals(inline, []);
});

Deno.test("every shader is used by a kernels file, and by nothing else", () => {
  const users = imports.filter(({ to }) => to?.endsWith(".wgsl"));
  assertEquals(shaders.filter((path) => !users.some(({ to }) => to === path)), []);
  assertEquals(users.filter(({ from }) => !from.startsWith("kernels/")).map(({ from }) => from), []);
});

Deno.test("every exported function, class and constant is used in another file", () => {
  const files = [...code, ...tests, ...sourceFiles(["bench"], [".ts"])];
  const words = new Map(files.map((path) => [path, new Set(Deno.readTextFileSync(path).match(/\w+/g))]));
  const unused = code.flatMap((path) => {
    const exported = Deno.readTextFileSync(path).matchAll(
      /^export (?:async )?(?:const|function\*?|class) (\w+)/gm,
    );
    return [...exported].map(([, name]) => name)
      .filter((name) => !files.some((other) => other !== path && words.get(other)!.has(name)))
      .map((name) => `${path}: ${name}`);
  });
  assertEquals(unused, []);
});

Deno.test("every op has a case", () => {
  const tested = new Set<string>(allCases.map(({ op }) => op));
  assertEquals(Object.keys(opTable).filter((op) => !tested.has(op)), []);
});

Deno.test("no test is skipped and nothing is left for later", () => {
  const self = "tests/architecture_test.ts";
  const marks = /\bDeno\.test\.(ignore|only)\b|\b(ignore|only): true\b|\b(TODO|FIXME|XXX)\b/;
  const marked = [...code, ...tests].filter((path) =>
    path !== self && marks.test(Deno.readTextFileSync(path))
  );
  assertEquals(marked, []);
});

onEachDevice("all WGSL is valid that the device has the features for", async ({ device, traits }) => {
  const faults: string[] = [];
  for (const { name, code } of shaderModules(traits.features)) {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: name, code });
    const error = await device.popErrorScope();
    if (error) faults.push(`${name}: ${error.message.trim().split("\n")[0]}`);
  }
  assertEquals(faults, []);
});
