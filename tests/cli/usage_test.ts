import { assertEquals, assertStringIncludes } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";

/** Command line and the one line it must answer with. */
const misuse: [string, string][] = [
  ["trian", 'unknown command "trian"; did you mean "train"?'],
  ["resume", "resume: want a run, by its folder or its name in --out"],
  ["resume nowhere", '--resume: want a run folder (with config.json), got "nowhere"'],
  ["replay nowhere", 'replay: want a run folder (with config.json), got "nowhere"'],
  [
    "eval nowhere.safetensors --config spirals",
    "eval: want a file that export wrote, got nowhere.safetensors, which is not there",
  ],
  ["resume nowhere --seed 3", 'unknown flag "--seed"'],
  ["completion bsh", 'completion: want bash, zsh or fish, got "bsh"; did you mean "bash"?'],
  ["bench gem", 'bench: no program "gem"; did you mean "gemm"?'],
  ["help trai", 'help: unknown command "trai"; did you mean "train"?'],
  ["--confg cifar10", 'unknown flag "--confg"; did you mean "--config"?'],
  ["-x", 'unknown flag "-x"'],
  ["--config", "--config: want NAME, got nothing"],
  ["--config --quiet", "--config: want NAME, got --quiet"],
  [
    "--config cifar1",
    '--config: no file "cifar1", and none of that name in configs/; did you mean "cifar10"?',
  ],
  ["--config a --config b", "--config: want it once, got it twice"],
  ["--config cifar10 --set train.bach=3", '--set: unknown key "train.bach"; did you mean "train.batch"?'],
  ["--config cifar10 --set train.batch=x", 'config: train.batch: want number, got "x"'],
  ["--config cifar10 --set train.batch", '--set: want KEY=VALUE such as train.batch=64, got "train.batch"'],
  ["--config cifar10 --seed -1", '--seed: want an integer of at least 0 and at most 4294967295, got "-1"'],
  ["--config cifar10 --max-steps 0", '--max-steps: want an integer of at least 1, got "0"'],
  ["--config cifar10 --backend daw", '--backend: want auto, native or dawn, got "daw"; did you mean "dawn"?'],
  ["--config cifar10 --profile tiny", '--profile: want auto, full or small, got "tiny"'],
  ["--quiet=1", '--quiet: want no value, got "1"'],
  ["--config cifar10 --quiet --json", "train: want --json or --quiet, got both"],
  [
    "--config cifar10 --profile-kernels --dry-run",
    "--profile-kernels: not together with --dry-run, which takes one step and writes nothing",
  ],
  [
    "--config cifar10 --dashboard --dry-run",
    "--dashboard: not together with --dry-run, which is over in a moment",
  ],
  ["--config cifar10 --port 8080", "--port: want --dashboard with it"],
  ["services status", "services: want --config NAME, or servers by --fleet, --blobs and --oona, got none"],
  ["serve", "serve: want a run, by its folder or its name in runs/"],
  ["--config cifar10 --tuned /nowhere.json", "--tuned: want a file that tune-kernels wrote, or none, got"],
  ["tune-kernels", "tune-kernels: want --config NAME; configs/ has cifar10, "],
  ["tune-kernels --config cifar10 --seed 3", 'unknown flag "--seed"'],
  ["train cifar10", 'train: unexpected argument "cifar10"; see --help'],
  ["--quiet", "train: want --config NAME or --resume RUN; configs/ has cifar10, "],
  ["--resume nowhere", '--resume: want a run folder (with config.json), got "nowhere"'],
  [
    "--resume nowhere --seed 3",
    "--seed: not together with --resume, which goes on with the run's own configuration",
  ],
];

for (const [args, line] of misuse) {
  Deno.test(`main.ts ${args} is a usage error of one line`, async () => {
    const { code, stdout, stderr } = await runEsper(args.split(" "));
    assertStringIncludes(stderr, `esper: ${line}`);
    assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [2, "", 1]);
  });
}

Deno.test("main.ts --config names a file that is not JSON", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, "{ nope");
  const { code, stderr } = await runEsper(["--config", path]);
  await Deno.remove(path);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `esper: config: ${path} is not JSON: `);
});

Deno.test("main.ts ESPER_DEBUG=1 shows the stack", async () => {
  const { code, stderr } = await runEsper(["trian"], { ESPER_DEBUG: "1" });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "src/cli/mod.ts");
});

for (const args of [[], ["--help"], ["help"], ["-h"]]) {
  Deno.test(`main.ts ${args.join(" ")} shows the commands and every flag of train`, async () => {
    const { code, stdout, stderr } = await runEsper(args);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "  train         train a network and grow it while it trains\n");
    assertStringIncludes(
      stdout,
      "  tune-kernels  time the kernels of a configuration's network on this adapter",
    );
    const flags =
      "config set seed max-steps out backend profile resume dry-run profile-kernels tuned unsafe-gpu quiet json help";
    for (const flag of flags.split(" ")) assertStringIncludes(stdout, `  --${flag} `);
    assertStringIncludes(stdout, "Exit codes: 0 done, 1 failure, 2 usage, 130 interrupted.");
  });
}

Deno.test("main.ts COMMAND --help is the help of the command", async () => {
  const [short, long] = await Promise.all([runEsper(["train", "--help"]), runEsper(["help", "train"])]);
  assertEquals([short.code, short.stdout], [0, long.stdout]);
  assertStringIncludes(
    short.stdout,
    "  --out DIR                   folder in which the run folder is made (default runs)\n",
  );
});
