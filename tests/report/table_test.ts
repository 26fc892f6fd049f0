import { assertEquals } from "@std/assert";
import { renderTable } from "../../src/report/table.ts";

Deno.test("renderTable() puts columns of numbers on the right, whatever their notation, and others on the left", () => {
  const rows = [["a", "0.005", "12.5%", "1 x"], ["long", "-2.0e-4", "-", "3"], ["-", "7", "100 kFLOP", "y"]];
  assertEquals(renderTable(["name", "n", "share", "mixed"], rows), [
    "name        n      share  mixed",
    "----  -------  ---------  -----",
    "a       0.005      12.5%  1 x",
    "long  -2.0e-4          -  3",
    "-           7  100 kFLOP  y",
  ]);
});
