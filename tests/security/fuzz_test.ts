/** Files that may come from anywhere give a clear error or a valid load. `tests/security/fuzz.ts` does more of the same. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { resolveConfig } from "../../src/app/config.ts";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import { readCheckpoint } from "../../src/app/checkpoint.ts";
import { morph } from "../../src/kasmina/mod.ts";
import { cnn } from "../../src/engine/nn/hosts.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { UserError } from "../../src/util/errors.ts";
import { parseJson } from "../../src/util/json.ts";
import { trainerState } from "../support/checkpoints.ts";
import { tinyConfig } from "../support/session.ts";
import { fuzz } from "./fuzz.ts";
import { readers } from "./readers.ts";

Deno.test("mutated files of every kind: a clear error or a valid load, no crash, no hang, nothing inherited", async () => {
  const found = await fuzz(130 * readers.length, 7);
  for (const [name, { read, refused }] of Object.entries(found)) assert(read + refused === 130, name);
});

/** Every file under a folder. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

Deno.test("whatever a store is told to write lands in its folder", async () => {
  const root = await Deno.makeTempDir();
  try {
    const outside = `${root}/outside`, inside = `${root}/run/store`;
    Deno.mkdirSync(inside, { recursive: true });
    Deno.writeTextFileSync(outside, "untouched");
    const store = createFileStore(inside);
    const name = fc.oneof(
      fc.constantFrom(
        "..",
        "../outside",
        "../../outside",
        "/etc/x",
        "a/b",
        "a\\b",
        ".",
        "",
        "\0",
        "a\n",
        "con",
        "..a",
        "a..",
        "-",
        "%2e%2e%2f",
      ),
      fc.string({ maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(name, name, async (kind, name) => {
        const attempts = [
          () => store.writeManifest(kind, name, { a: 1 }),
          () => store.readManifest(kind, name),
          () => store.removeManifest(kind, name),
          () => store.get(name),
          () => store.records.register("kernel", name, null),
        ];
        for (const attempt of attempts) {
          try {
            await attempt();
          } catch (error) {
            assert(/\bwant\b/.test((error as Error).message), (error as Error).message);
          }
        }
      }),
      { numRuns: 60, seed: 3 },
    );
    assertEquals(filesIn(root).filter((path) => !path.startsWith(`${inside}/`)), [outside]);
    assertEquals(Deno.readTextFileSync(outside), "untouched");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("JSON that is nested deeper than anyone writes is refused, not walked", () => {
  assertEquals(parseJson("[[1]]"), [[1]]);
  const deep = (open: string, close: string) => `${open.repeat(100_000)}1${close.repeat(100_000)}`;
  assertThrows(() => parseJson(deep("[", "]")), SyntaxError, "want at most 100 levels");
  assertThrows(() => parseJson(deep('{"a":', "}")), SyntaxError, "want at most 100 levels");
});

Deno.test("a configuration changes nothing that all objects inherit, and inherits nothing itself", () => {
  for (const text of ['{"__proto__":{"seed":5}}', '{"train":{"__proto__":{"maxSteps":5}}}']) {
    const file = { ...tinyConfig("points"), ...JSON.parse(text) };
    const own = JSON.parse(text.replace("{", `{"name":"x",`));
    assertThrows(() => resolveConfig({ file: own, sets: [], flags: {} }, "small"), UserError, "__proto__");
    assert(typeof file === "object" && !("polluted" in {}));
  }
  assertThrows(
    () => resolveConfig({ file: tinyConfig("points"), sets: ["__proto__.seed=1"], flags: {} }, "small"),
    UserError,
    'unknown key "__proto__"',
  );
});

Deno.test("a pattern of many stars takes no longer than another", () => {
  const model = cnn([8, 8, 3], 10, [4, 8]), started = performance.now();
  for (const pattern of ["*a".repeat(2000), `${"*".repeat(5000)}x`]) {
    assertThrows(() => morph(model, [pattern]), UserError, "0 slots matched");
  }
  assertEquals(morph(model, ["*l*c**2"]).slots.map(({ name }) => name), ["block2"]);
  assertEquals(morph(model, ["b*k1", "block2*"]).slots.length, 2);
  assertThrows(() => morph(model, ["block1*1"]), UserError);
  assert(performance.now() - started < 2000);
});

Deno.test("a checkpoint cannot make a log longer than it is", async () => {
  const path = await Deno.makeTempDir();
  try {
    Deno.writeTextFileSync(`${path}/events.jsonl`, '{"topic":"notice"}\n');
    const folder = RunFolder.open(path);
    folder.truncateLogs({ "events.jsonl": 2 ** 50 });
    folder.close();
    assertEquals(Deno.statSync(`${path}/events.jsonl`).size, 19);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("a checkpoint cannot put a parameter on another, or beyond the numbers", async () => {
  const said = async (places: unknown[]) => {
    const store = createMemoryStore(), blob = await store.put(new Uint8Array(512));
    const saved = {
      state: trainerState(1, []),
      layout: { groups: ["host"], places },
      numbers: [blob],
    };
    const manifest = { version: 3, config: "c", logs: {}, controlLoss: null, present: saved, blessed: saved };
    // deno-lint-ignore no-explicit-any
    await store.writeManifest("checkpoint", "step-000000001", manifest as any);
    return (await assertRejects(() => readCheckpoint(store, "c"), UserError)).message;
  };
  const place = (name: string, block: number, size: number, group = "host") => ({
    name,
    shape: [size],
    decay: false,
    group,
    block,
  });
  assert(
    (await said([place("a", 0, 65), place("b", 1, 1)])).includes(
      "want parameter b in a place of its own, got one on another",
    ),
  );
  assert((await said([place("a", 1, 65)])).includes("beyond 128 numbers"));
  assert((await said([place("a", 0, 1, "other")])).includes("in a group that is not listed"));
});
