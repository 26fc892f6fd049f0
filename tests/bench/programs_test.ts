/** Every benchmark runs, in sizes that say nothing about speed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runDeno } from "../support/subprocess.ts";

const PROGRAMS: readonly (readonly [program: string, ...args: string[]])[] = [
  ["gemm", "--forms", "nn,tt"],
  ["conv", "--op", "forward,weight"],
  ["elementwise"],
  ["memory_bound", "--only", "sum"],
  ["dispatch"],
  ["readback"],
  ["compile"],
  ["step", "--model", "small", "--profile"],
  ["compiling"],
  ["scaling"],
  ["slots", "--live", "0"],
  ["bus"],
  ["kernel_cache"],
  ["store"],
  ["decide", "--nodes", "10", "--graphs", "1"],
  ["dashboard", "--clients", "3", "--pairs", "1", "--ticks", "1"],
];
/** Programs that use no device. */
const HOST_ONLY = ["bus", "kernel_cache", "store"];

for (const [program, ...args] of PROGRAMS) {
  Deno.test(`bench/${program}.ts prints its tables and writes its numbers`, async () => {
    const json = await Deno.makeTempFile({ suffix: ".json" });
    const extra = program === "scaling" ? ["--svg", `${json}.svg`] : [];
    const { code, stdout, stderr } = await runDeno(
      [`bench/${program}.ts`, "--quick", "--backend", "native", "--json", json, ...args, ...extra],
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "\n---");
    const { setting, tables } = JSON.parse(await Deno.readTextFile(json));
    if (HOST_ONLY.includes(program)) assertEquals(setting.adapter, null);
    else assertEquals(setting.adapter.backend, "native");
    assert(tables.every(({ rows }: { rows: unknown[] }) => rows.length > 0));
    await Deno.remove(json);
    if (extra.length > 0) {
      assertStringIncludes(await Deno.readTextFile(extra[1]), "</svg>");
      await Deno.remove(extra[1]);
    }
  });
}

Deno.test("bench/step.ts puts PyTorch's times beside its own", async () => {
  const file = await Deno.makeTempFile({ suffix: ".jsonl" });
  const line = { batch: 2, mode: "fp32", ms: 1, torch: "2.11.0", device: "a GPU" };
  const other = { ...line, model: "resnet16" };
  await Deno.writeTextFile(
    file,
    [{ ...line, model: "small" }, other].map((l) => JSON.stringify(l)).join("\n"),
  );
  const args = ["--quick", "--backend", "native", "--model", "small", "--torch", file];
  const { code, stdout, stderr } = await runDeno(["bench/step.ts", ...args]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "Beside PyTorch 2.11.0 on a GPU");
  assertStringIncludes(stdout, "vs fp32");
  await Deno.remove(file);
});
