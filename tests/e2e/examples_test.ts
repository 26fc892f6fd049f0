/** The examples run as they stand, do what they say, and the tutorial quotes them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runDeno } from "../support/subprocess.ts";
import { ENVIRONMENT } from "./program.ts";

/** What each example prints. */
const EXAMPLES: Readonly<Record<string, RegExp>> = {
  mlp: /^400 steps: (9\d|100)\.\d % of validation points right\n$/,
  own_network:
    /^slot first \[8\]\nslot second \[8\]\n(.*\n)*first\/1 \((mlp|pointwise)\): HOLDING to FOSSILIZED, action\n(.*\n)*\d+ seeds, 123 to \d{3} parameters, [89]\d\.\d % of validation points right\nat \(0\.3, 0\.1\): 0\.\d{3}, 0\.\d{3}, 0\.\d{3}\n$/,
  own_controller: /^layer[12]\/1 mlp: FOSSILIZED, action\n(9\d|100)\.\d % of validation points right\n$/,
  own_parts:
    /^bilinear at \[16\]: 1632 parameters\nfirst\/1 bilinear: FOSSILIZED, action\n[89]\d\.\d % of validation points right\n$/,
};

for (const [name, output] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/${name}.ts runs as it stands`, async () => {
    const { code, stdout, stderr } = await runDeno(["--no-check", `examples/${name}.ts`], ENVIRONMENT);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, output);
  });
}

Deno.test("every example is run, and training an MLP takes twenty lines", () => {
  const files = [...Deno.readDirSync("examples")].map(({ name }) => name.replace(/\.ts$/, ""));
  assertEquals(files.sort(), Object.keys(EXAMPLES).sort());
  assert(Deno.readTextFileSync("examples/mlp.ts").trimEnd().split("\n").length <= 20);
});

Deno.test("the tutorial's programs are parts of the examples, word for word", () => {
  const flush = (text: string) => text.replace(/^ +/gm, "");
  const examples = flush(
    Object.keys(EXAMPLES).map((name) => Deno.readTextFileSync(`examples/${name}.ts`)).join(""),
  );
  const blocks = [...Deno.readTextFileSync("docs/tutorial.md").matchAll(/```ts\n([^]*?)```/g)];
  assert(blocks.length > 4);
  for (const [, block] of blocks) assert(examples.includes(flush(block)), block);
});
