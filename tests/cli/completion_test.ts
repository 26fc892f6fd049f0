import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configNames } from "../../src/cli/config_file.ts";
import { commands } from "../../src/cli/table.ts";
import { runEsper } from "../support/subprocess.ts";

/** What bash offers at the end of each line, by the script that `completion bash` prints. */
async function offered(lines: readonly string[]): Promise<string[][]> {
  const { code, stdout } = await runEsper(["completion", "bash"]);
  assertEquals(code, 0);
  const asked = lines.map((line) => {
    const words = line.split(" ");
    return `COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}
_esper; echo "\${COMPREPLY[*]}"`;
  });
  const { stdout: answers, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${stdout}\n${asked.join("\n")}`],
    cwd: "tests/golden",
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(answers).trimEnd().split("\n").map((line) => line.split(" "));
}

Deno.test("completion bash offers commands, options and what their values may be", async () => {
  const [first, near, flags, choice, config, words, policies, implied] = await offered([
    "esper ",
    "esper tr",
    "esper slots --",
    "esper export --format ",
    "esper train --config ",
    "esper store v",
    "esper train-policy --config d",
    "esper --config sp",
  ]);
  assertEquals(commands.filter(({ name }) => !first.includes(name)), []);
  assertEquals(near, ["train", "train-policy"]);
  assertEquals(flags, ["--config", "--set", "--profile", "--json", "--help"]);
  assertEquals(choice, ["safetensors", "onnx"]);
  assertEquals(config, configNames());
  assertEquals([words, policies, implied], [["verify"], ["default"], ["spirals"]]);
});

Deno.test("completion zsh and fish know every command and option", async () => {
  for (const [shell, mark] of [["zsh", "--"], ["fish", "-l "]]) {
    const { stdout } = await runEsper(["completion", shell]);
    for (const { name, options } of commands) {
      assertStringIncludes(stdout, name);
      for (const option of options) {
        assert(stdout.includes(`${mark}${option.name}`), `${shell}: ${option.name}`);
      }
    }
  }
});
