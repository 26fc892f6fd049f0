import { assertEquals } from "@std/assert";
import { sourceFiles } from "./support/source_files.ts";

const LESSONS = 41;
/** No test can show it. */
const UNTESTED = [41];

Deno.test("docs/lessons.md lists every lesson, and for each the files whose tests have its number in their names", async () => {
  const table = await Deno.readTextFile("docs/lessons.md");
  const listed = [...table.matchAll(/^[|] +([0-9]+) +[|].*[|](.*)[|]$/gm)].map(([, number, files]) =>
    [Number(number), [...files.matchAll(/`(tests[/][^`]+)`/g)].map(([, path]) => path)] as const
  );
  const named = new Map<number, Set<string>>();
  for (const path of sourceFiles(["tests"], ["_test.ts"])) {
    const titles = Deno.readTextFileSync(path).matchAll(/["`]lessons? ([0-9]+(?: and [0-9]+)*)[,:]/g);
    for (const number of [...titles].flatMap(([, numbers]) => numbers.split(" and "))) {
      named.set(Number(number), (named.get(Number(number)) ?? new Set()).add(path));
    }
  }
  const want = Array.from(
    { length: LESSONS },
    (_, k) => [k + 1, [...named.get(k + 1) ?? []].sort()] as const,
  );
  assertEquals(listed, want);
  assertEquals(want.filter(([, files]) => files.length === 0).map(([number]) => number), UNTESTED);
});
