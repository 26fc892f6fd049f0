import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/util/errors.ts";
import { slotTable } from "../../src/kasmina/slot_table.ts";

Deno.test("slotTable() starts DORMANT with nothing measured", () => {
  const table = slotTable(["a", "b"]);
  assertEquals(table.stageOf(1), "DORMANT");
  assertEquals([table.gradNorm.get(0), table.advantageMean.get(1), table.hDead.slope(0)], [null, null, null]);
});

Deno.test("a measured column tells 0 from unknown", () => {
  const { gradNorm } = slotTable(["a", "b"]);
  gradNorm.note(0, 0);
  assertEquals([gradNorm.get(0), gradNorm.get(1)], [0, null]);
  gradNorm.note(0, null);
  assertEquals(gradNorm.get(0), null);
});

Deno.test("restore() of toJSON() gives the same table, NaN and unknown included", () => {
  const table = slotTable(["a", "b"]);
  table.stage[1] = 3;
  table.alpha[1] = 0.1 + 0.2;
  table.blueprint[1] = "conv3";
  table.doom[1] = { reason: "regression", evidence: { limit: 1.5 } };
  table.gradNorm.note(0, NaN);
  for (const micros of [1, null, 3, -Infinity]) table.micros.note(1, micros);
  for (const dead of [0.5, 0.25, null, 0]) table.deltaDead.note(1, dead);
  const again = slotTable(["a", "b"]);
  again.removalMean.set(0, 1);
  again.restore(JSON.parse(JSON.stringify(table)));
  assertEquals(again.toJSON(), table.toJSON());
  assertEquals([again.gradNorm.get(0), again.removalMean.get(0), again.alpha[1]], [NaN, null, 0.1 + 0.2]);
  assertEquals(again.deltaDead.slope(1), table.deltaDead.slope(1));
  assertEquals([again.deltaDead.get(1), again.micros.slope(1)], [0, null]);
});

Deno.test("restore() refuses other slots and damaged records and then changes nothing", () => {
  const table = slotTable(["a", "b"]);
  table.age[0] = 7;
  const before = table.toJSON();
  assertThrows(
    () => table.restore(slotTable(["a"]).toJSON()),
    Error,
    "slot table: want slots a, b, got a; restore into the model that was saved",
  );
  const damages: [object, string][] = [
    [{ times: { ...before.times, micros: [[]] } }, "times.micros: want 2 values, one a slot, got 1"],
    [{ columns: undefined }, "columns: Invalid input: expected object, received undefined"],
    [
      { columns: { ...before.columns, stage: [0, 9] } },
      "columns.stage.1: Too big: expected number to be <=8",
    ],
    [{ columns: { ...before.columns, alpha: [0, "x"] } }, "columns.alpha.1: Invalid input"],
    [{ columns: { ...before.columns, anchorMean: [0, "1e9"] } }, "columns.anchorMean.1: Invalid input"],
    [{ health: { ...before.health, hMean: [[], [1, {}]] } }, "health.hMean.1.1: Invalid input"],
    [{ doom: [null, 5] }, "doom.1: Invalid input"],
    [{ stray: 1 }, 'record: Unrecognized key: "stray"'],
  ];
  for (const [damage, message] of damages) {
    const error = assertThrows(() => table.restore({ ...before, ...damage }), UserError);
    assert(error.message.startsWith(`slot table: ${message}`), error.message);
    assert(error.message.endsWith("; the record is damaged"), error.message);
  }
  assertThrows(() => table.restore(null), UserError, "slot table: record: Invalid input");
  assertEquals(table.toJSON(), before);
});

Deno.test("clear() forgets the seed and keeps what lasts", () => {
  const table = slotTable(["a"]);
  table.alpha[0] = 1;
  table.generation[0] = 2;
  table.errors[0] = 1;
  table.blueprint[0] = "se";
  table.gradNorm.note(0, 1);
  table.clear(0);
  assertEquals([
    table.alpha[0],
    table.generation[0],
    table.errors[0],
    table.blueprint[0],
    table.gradNorm.get(0),
  ], [
    0,
    2,
    1,
    null,
    null,
  ]);
});
