import { assertEquals, assertThrows } from "@std/assert";
import { slotTable } from "../../src/kasmina/slot_table.ts";

Deno.test("slotTable() starts DORMANT with nothing measured", () => {
  const table = slotTable(["a", "b"]);
  assertEquals(table.stageOf(1), "DORMANT");
  assertEquals([table.gradNorm.get(0), table.advantageMean.get(1)], [null, null]);
});

Deno.test("a measured column tells 0 from unknown", () => {
  const { gradNorm } = slotTable(["a", "b"]);
  gradNorm.set(0, 0);
  assertEquals([gradNorm.get(0), gradNorm.get(1)], [0, null]);
  gradNorm.set(0, null);
  assertEquals(gradNorm.get(0), null);
});

Deno.test("restore() of toJSON() gives the same table, NaN and unknown included", () => {
  const table = slotTable(["a", "b"]);
  table.stage[1] = 3;
  table.alpha[1] = 0.1 + 0.2;
  table.blueprint[1] = "conv3";
  table.doom[1] = { reason: "regression", evidence: { limit: 1.5 } };
  table.gradNorm.set(0, NaN);
  table.micros.set(1, -Infinity);
  const again = slotTable(["a", "b"]);
  again.removalMean.set(0, 1);
  again.restore(JSON.parse(JSON.stringify(table)));
  assertEquals(again.toJSON(), table.toJSON());
  assertEquals([again.gradNorm.get(0), again.removalMean.get(0), again.alpha[1]], [NaN, null, 0.1 + 0.2]);
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
  const damaged = { ...before, columns: { ...before.columns, micros: [null] } };
  assertThrows(
    () => table.restore(damaged),
    Error,
    "slot table: want 2 values of micros, got 1; the record is damaged",
  );
  assertEquals(table.toJSON(), before);
});

Deno.test("clear() forgets the seed and keeps what lasts", () => {
  const table = slotTable(["a"]);
  table.alpha[0] = 1;
  table.generation[0] = 2;
  table.errors[0] = 1;
  table.blueprint[0] = "se";
  table.gradNorm.set(0, 1);
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
