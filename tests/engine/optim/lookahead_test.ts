import { assert, assertEquals, assertThrows } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { full } from "../../../src/engine/ops/elementwise.ts";
import { Lookahead } from "../../../src/engine/optim/lookahead.ts";
import { ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { StoreSnapshot } from "../../../src/engine/optim/store_snapshot.ts";
import { onEachDevice } from "../../support/devices.ts";
import { bitsOf, drawn, numbers } from "../../support/store.ts";

const SIZES = { host: 100, rest: 7 };

function slowStore(gpu: Gpu): ParameterStore {
  const store = new ParameterStore(gpu, 64 * 4, 1, true);
  for (const [group, size] of Object.entries(SIZES)) store.add([drawn(group, [size])], group);
  return store;
}

onEachDevice(
  "Lookahead takes a share of the fast parameters into the slow ones of the groups named",
  async (gpu) => {
    const store = slowStore(gpu), lookahead = new Lookahead(gpu, store);
    const program = await compile(gpu, {
      label: "lookahead",
      outputs: { nothing: full([1], 0) },
      stepInputs: [lookahead.stepInput],
      memory: (source) => store.view(source.name),
    });
    const meet = await lookahead.bind(program.step);
    const step = (shares: Record<string, number>) => {
      program.step.write(lookahead.stepValues(shares));
      replay(gpu, program.dispatches, [meet]);
    };
    const fast = numbers("fast", SIZES.host), first = numbers("host", SIZES.host);
    store.set("host", fast);
    step({});
    assertEquals(await store.get("host"), fast, "no meeting");
    step({ host: 0.25, stranger: 1 });
    const met = await store.get("host");
    for (const [i, value] of met.entries()) {
      const want = first[i] + 0.25 * (fast[i] - first[i]);
      assert(Math.abs(value - want) < 1e-6, `number ${i}: want ${want}, got ${value}`);
    }
    const { host: [values, , slow], rest } = await bitsOf(store);
    assertEquals(slow, values, "the fast parameters go on from the slow ones");
    assertEquals(rest[0].slice(0, SIZES.rest), [...new Uint32Array(numbers("rest", SIZES.rest).buffer)]);
    program.destroy();
    store.destroy();
  },
);

onEachDevice(
  "Slow parameters start where the others do, and are saved and put back with them",
  async (gpu) => {
    const store = slowStore(gpu), snapshot = new StoreSnapshot(gpu, store);
    snapshot.take();
    const before = await bitsOf(store);
    const [first, , slow] = before.host;
    assertEquals(slow, first);
    store.set("host", numbers("other", SIZES.host));
    store.add([drawn("late", [3])], "late");
    assertEquals((await bitsOf(store)).host[2], first);
    snapshot.revert();
    assertEquals(await bitsOf(store), before);
    const numbersOf = await store.read();
    assertThrows(() => store.restore(store.layout, numbersOf.slice(0, 2)), RangeError, "got none");
    snapshot.destroy();
    store.destroy();
  },
);

onEachDevice("Lookahead wants a store that keeps slow parameters", (gpu) => {
  const store = new ParameterStore(gpu, 64, 1);
  assertThrows(() => new Lookahead(gpu, store), RangeError, "lookahead: want a store with slow parameters");
  store.destroy();
});
