import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { splitTrain } from "../../../src/engine/data/split.ts";
import { UserError } from "../../../src/util/errors.ts";

const cases = fc.record({
  classes: fc.integer({ min: 2, max: 5 }),
  perClass: fc.integer({ min: 6, max: 30 }),
  control: fc.integer({ min: 0, max: 4 }),
  validation: fc.integer({ min: 0, max: 4 }),
  trainLimit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

Deno.test("splitTrain() gives disjoint, balanced, repeatable parts of the wanted sizes", () => {
  fc.assert(fc.property(cases, ({ classes, perClass, control, validation, trainLimit, seed }) => {
    const labels = Uint8Array.from({ length: classes * perClass }, (_, i) => i % classes);
    const options = { control, validation, trainLimit }, parts = splitTrain(labels, classes, options, seed);
    assertEquals(splitTrain(labels, classes, options, seed), parts);
    assertEquals([parts.control.length, parts.validation.length], [control, validation]);
    assertEquals(parts.train.length, trainLimit ?? labels.length - control - validation);
    const all = [...parts.control, ...parts.validation, ...parts.train];
    assertEquals(new Set(all).size, all.length);
    assert(all.every((i) => i < labels.length));
    for (const part of [parts.control, parts.validation, parts.train]) {
      const counts = new Array<number>(classes).fill(0);
      part.forEach((i) => counts[labels[i]]++);
      const spread = Math.max(...counts) - Math.min(...counts);
      // What is left after two balanced parts may miss one of a class for each of them.
      assert(spread <= (part === parts.train && trainLimit === undefined ? 2 : 1), `counts ${counts}`);
    }
  }));
});

Deno.test("splitTrain() keeps control and validation whatever the limit, and changes them with the seed", () => {
  const labels = Uint8Array.from({ length: 200 }, (_, i) => i % 4), sizes = { control: 20, validation: 20 };
  const all = splitTrain(labels, 4, sizes, 1), few = splitTrain(labels, 4, { ...sizes, trainLimit: 8 }, 1);
  assertEquals([few.control, few.validation], [all.control, all.validation]);
  assertEquals(few.train, all.train.slice(0, 8));
  assertNotEquals(splitTrain(labels, 4, sizes, 2).control, all.control);
});

Deno.test("splitTrain() passes over a class that has run out", () => {
  const { control, train } = splitTrain(Uint8Array.of(0, 0, 0, 0, 0, 1), 3, { control: 4, validation: 0 }, 1);
  assertEquals([...control, ...train].sort(), [0, 1, 2, 3, 4, 5]);
});

Deno.test("splitTrain() takes trainLimit as a limit, not as a demand", () => {
  const { train } = splitTrain(new Uint8Array(10), 1, { control: 3, validation: 3, trainLimit: 5 }, 1);
  assertEquals(train.length, 4);
});

Deno.test("splitTrain() rejects parts that leave nothing to train on", () => {
  assertThrows(
    () => splitTrain(new Uint8Array(10), 1, { control: 5, validation: 5 }, 1),
    UserError,
    "split: want 5 control and 5 validation examples and at least 1 to train on, got 10 in all; lower data.split",
  );
});
