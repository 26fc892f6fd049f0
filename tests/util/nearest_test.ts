import { assertEquals } from "@std/assert";
import { editDistance, nearest, suggestion } from "../../src/util/nearest.ts";

Deno.test("editDistance() counts inserts, deletes, replacements and swaps", () => {
  const pairs: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["batch", "batch", 0],
    ["bach", "batch", 1],
    ["trian", "train", 1],
    ["kitten", "sitting", 3],
  ];
  for (const [a, b, distance] of pairs) {
    assertEquals([editDistance(a, b), editDistance(b, a)], [distance, distance]);
  }
});

Deno.test("nearest() finds the likely name and nothing far-fetched", () => {
  const names = ["train", "test", "help"];
  assertEquals(nearest("trian", names), "train");
  assertEquals(nearest("HELP", names), "help");
  assertEquals(nearest("configuration", names), null);
  assertEquals(nearest("x", []), null);
});

Deno.test("suggestion() asks about the near name, else lists all", () => {
  assertEquals(suggestion("trian", ["train"]), '; did you mean "train"?');
  assertEquals(suggestion("xyz", ["train", "help"]), "; there is help, train");
  assertEquals(suggestion("xyz", []), "");
});
