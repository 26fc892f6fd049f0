import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { MAX_GROUPS, ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { onEachDevice } from "../../support/devices.ts";
import { bitsOf, drawn, numbers, spec, storeWith } from "../../support/store.ts";

const HOST = { host: [["a", [3, 3, 2, 4]], ["b", [5]], ["c", [64]]] } as const;

Deno.test("ParameterStore.sizeOf() rounds each parameter up to a block", () => {
  assertEquals(
    ParameterStore.sizeOf([spec("a", [3, 3, 2, 4]), spec("b", [5]), spec("c", [64])]),
    128 + 64 + 64,
  );
});

onEachDevice("ParameterStore.add() stores values and zero moments, also in used room", async (gpu) => {
  const store = await storeWith(gpu, 128, { old: [["x", [128]]] });
  store.remove(["x"]);
  store.add([drawn("a", [2, 3]), drawn("b", [])], "host");
  assertEquals(await store.get("a"), numbers("a", 6));
  assertEquals(await store.get("b"), numbers("b", 1));
  const [values, ...moments] = await store.read();
  assertEquals(values.slice(6, 64), new Float32Array(58));
  for (const moment of moments) assertEquals(moment.slice(0, 128), new Float32Array(128));
  assertEquals(await readFloats(gpu, store.gradients, 128), new Float32Array(128));
  store.destroy();
});

onEachDevice("ParameterStore keeps all other values and moments bit for bit", async (gpu) => {
  const store = await storeWith(gpu, 1024, HOST);
  const before = await bitsOf(store);
  store.add([drawn("seed/w", [10, 10]), drawn("seed/g", [7])], "seed/1");
  const { "seed/w": _w, "seed/g": _g, ...others } = await bitsOf(store);
  assertEquals(others, before);
  const withSeed = await bitsOf(store);
  store.regroup(["seed/w", "b"], "other");
  assertEquals(await bitsOf(store), withSeed);
  store.remove(["seed/w", "seed/g"]);
  assertEquals(await bitsOf(store), before);
  store.destroy();
});

onEachDevice("ParameterStore survives any order of adding, removing and regrouping", async (gpu) => {
  const names = ["p", "q", "r", "s", "t"];
  const sizes: Record<string, number> = { p: 1, q: 64, r: 65, s: 130, t: 200 };
  const move = fc.record({
    name: fc.constantFrom(...names),
    group: fc.constantFrom("host", "seed/1", "seed/2"),
    how: fc.constantFrom("add", "remove", "regroup"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 20 }), async (moves) => {
      const store = new ParameterStore(gpu, 64 * 14, 1);
      const groups = new Map<string, string>();
      for (const { name, group, how } of moves) {
        if (how === "add" && !groups.has(name)) {
          try {
            store.add([drawn(name, [sizes[name]])], group);
          } catch (error) {
            if (error instanceof RangeError) continue;
            throw error;
          }
          groups.set(name, group);
        } else if (how === "remove" && groups.delete(name)) store.remove([name]);
        else if (how === "regroup" && groups.has(name)) {
          store.regroup([name], group);
          groups.set(name, group);
        }
      }
      assertEquals(store.names.sort(), [...groups.keys()].sort());
      assertEquals(new Set(store.groups.filter((g) => g !== null)), new Set(groups.values()));
      const table = new Uint32Array((await readFloats(gpu, store.blockTable, store.blocks)).buffer);
      const owned = new Set<number>();
      for (const { name, block } of store.layout.places) {
        for (let k = block; k < block + Math.ceil(sizes[name] / 64); k++) {
          assertEquals(owned.has(k), false, `block ${k} belongs to two parameters`);
          owned.add(k);
          assertEquals(table[k], 0x10000 + store.groups.indexOf(groups.get(name)!));
        }
        assertEquals(await store.get(name), numbers(name, sizes[name]));
      }
      for (const [k, entry] of table.entries()) if (!owned.has(k)) assertEquals(entry, 0xffffffff);
      store.destroy();
    }),
    { numRuns: 15 },
  );
});

onEachDevice("ParameterStore uses returned room and group indices again", (gpu) => {
  const store = new ParameterStore(gpu, 256, 1);
  store.add([drawn("a", [64])], "host");
  store.add([drawn("b", [64])], "seed/1");
  store.add([drawn("c", [128])], "seed/2");
  store.remove(["b"]);
  assertEquals(store.groups, ["host", null, "seed/2"]);
  store.add([drawn("d", [3])], "seed/3");
  assertEquals(store.groups, ["host", "seed/3", "seed/2"]);
  assertEquals(store.layout.places.find((p) => p.name === "d")!.block, 1);
  assertEquals(store.inGroup("seed/3"), ["d"]);
  assertEquals(store.view("d"), { buffer: store.values.buffer, offset: 256, size: 16 });
  assertEquals(store.gradientView("d"), { buffer: store.gradients.buffer, offset: 256, size: 16 });
  store.regroup(["d"], "host");
  assertEquals(store.groups, ["host", null, "seed/2"]);
  store.destroy();
});

onEachDevice("ParameterStore.set() overwrites one parameter", async (gpu) => {
  const store = await storeWith(gpu, 512, HOST);
  const { b: _, ...others } = await bitsOf(store);
  store.set("b", new Float32Array([1, 2, 3, 4, 5]));
  assertEquals(await store.get("b"), new Float32Array([1, 2, 3, 4, 5]));
  const { b: __, ...after } = await bitsOf(store);
  assertEquals(after, others);
  assertThrows(
    () => store.set("b", new Float32Array(6)),
    RangeError,
    'parameter "b": want 5 values for [5], got 6',
  );
  store.destroy();
});

onEachDevice("ParameterStore says what is wrong and stays as it was", async (gpu) => {
  const store = await storeWith(gpu, 320, HOST);
  const layout = store.layout, before = await bitsOf(store);
  const fails: [() => void, string][] = [
    [() => store.add([drawn("new", [3]), drawn("a", [1])], "g"), 'parameter "a" is already in the store'],
    [() => store.add([drawn("new", [3]), drawn("new", [3])], "g"), 'parameter "new" is already in the store'],
    [
      () => store.add([drawn("new", [3]), drawn("large", [9, 9])], "g"),
      'parameter "large": want 2 free blocks of 64 numbers, got none in a row',
    ],
    [
      () => store.add([{ spec: spec("new", [2, 2]), values: new Float32Array(3) }], "g"),
      'parameter "new": want 4 values for [2, 2], got 3',
    ],
    [() => store.remove(["a", "x"]), 'parameter "x" is not in the store; it holds a, b, c'],
    [() => store.regroup(["a", "x"], "g"), 'parameter "x" is not in the store; it holds a, b, c'],
    [() => store.view("x"), 'parameter "x" is not in the store; it holds a, b, c'],
    [() => store.set("x", new Float32Array(1)), 'parameter "x" is not in the store; it holds a, b, c'],
  ];
  for (const [act, text] of fails) {
    assertThrows(act, Error, text);
    assertEquals(store.layout.places, layout.places, text);
    assertEquals(store.groups.filter((group) => group !== null), ["host"], text);
  }
  await assertRejects(() => store.get("x"), Error, 'parameter "x" is not in the store');
  assertEquals(await bitsOf(store), before);
  store.destroy();
});

onEachDevice("ParameterStore holds at most 32 groups", (gpu) => {
  const store = new ParameterStore(gpu, 64 * (MAX_GROUPS + 1), 1);
  for (let k = 0; k < MAX_GROUPS; k++) store.add([drawn(`p${k}`, [1])], `g${k}`);
  assertThrows(
    () => store.add([drawn("p", [1])], "another"),
    RangeError,
    'parameter store: want at most 32 groups, got one more, "another"',
  );
  store.remove(["p5"]);
  store.add([drawn("p", [1])], "another");
  assertEquals(store.groups[5], "another");
  store.destroy();
});

onEachDevice("ParameterStore.restore() puts back what layout and read() gave", async (gpu) => {
  const store = await storeWith(gpu, 512, { ...HOST, "seed/1": [["s", [9]]] });
  store.remove(["b"]);
  const layout = JSON.parse(JSON.stringify(store.layout)), saved = await store.read();
  const bits = await bitsOf(store);
  const other = new ParameterStore(gpu, 512, 2);
  other.add([drawn("unrelated", [100])], "host");
  other.restore(layout, saved);
  assertEquals(other.layout, layout);
  assertEquals(await bitsOf(other), bits);
  assertEquals(await readFloats(gpu, other.blockTable, 8), await readFloats(gpu, store.blockTable, 8));
  store.destroy();
  other.destroy();
});

onEachDevice("ParameterStore.restore() refuses numbers of another store and stays as it was", async (gpu) => {
  const store = await storeWith(gpu, 320, HOST);
  const before = await bitsOf(store), [values, first] = await store.read();
  const zeros = new Float32Array(320);
  assertThrows(
    () => store.restore(store.layout, [zeros, zeros]),
    RangeError,
    "parameter store: want 320 numbers, got none; same config?",
  );
  assertThrows(
    () => store.restore(store.layout, [zeros, zeros, new Float32Array(64)]),
    RangeError,
    "parameter store: want 320 numbers, got 64; same config?",
  );
  assertEquals([values.length, first.length], [320, 320]);
  assertEquals(await bitsOf(store), before);
  store.destroy();
});
