import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";
import { noCifar10 } from "../e2e/program.ts";

/** Runs in a folder of its own, where CIFAR-10 is nowhere. */
async function alone(work: (root: string, env: Record<string, string>) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await work(root, await noCifar10(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("main.ts doctor finds nothing in the way of training here, and leaves nothing behind", () =>
  alone(async (root, env) => {
    const { code, stdout } = await runEsper(["doctor", "--out", `${root}/runs`], env);
    assertEquals(code, 0, stdout);
    const whats = [...stdout.matchAll(/^(?:ok|note) +([^:]+):/gm)].map(([, what]) => what);
    assertEquals(whats, [
      ...["runtime", "adapter", "features", "limits", "kernel", "disk"],
      ...["data cifar10", "data fashion-mnist", "data digits", "policy"],
    ]);
    assertMatch(stdout, /^ok {4} {2}kernel: conv3 and its gradients agree with float64 to \d\.\de-\d+$/m);
    assertMatch(
      stdout,
      /^note {2} {2}data cifar10: want its files, got none: .*\n +→ main\.ts data get cifar10, or /m,
    );
    assertMatch(stdout, /\nnothing is in the way of training\n$/);
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), []);
  }));

Deno.test("main.ts doctor names each failure with its cure, and fails", () =>
  alone(async (root, env) => {
    const policy = `${root}/policy.safetensors`;
    await Deno.writeTextFile(policy, "nonsense");
    const args = ["doctor", "--json", "--out", "/proc/nowhere", "--policy", policy];
    const { code, stdout } = await runEsper(args, { ...env, DENO_WEBGPU_BACKEND: "dx12" });
    assertEquals(code, 1);
    const findings = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const failed = findings.filter(({ state }) => state === "failed");
    assertEquals(failed.map(({ what }) => what), ["adapter", "disk", "policy"]);
    assertEquals(failed.filter(({ cure }) => !cure), []);
    assertStringIncludes(failed[0].text, "no adapter");
  }));

Deno.test("main.ts data verify reads what is there; what was asked for by name must be", () =>
  alone(async (_root, env) => {
    const all = await runEsper(["data", "verify"], env);
    assertEquals(all.code, 0);
    assertMatch(
      all.stdout,
      /^cifar10: want its files, got none: .* nothing was downloaded\n {2}→ main\.ts data get cifar10/m,
    );
    assertMatch(all.stdout, /^digits: 10000 examples, SHA-256 [0-9a-f]{64}$/m);
    const [missing, there] = await Promise.all([
      runEsper(["data", "verify", "cifar10"], env),
      runEsper(["data", "get", "digits"], env),
    ]);
    assertEquals([missing.code, there.code], [1, 0]);
    assertMatch(there.stdout, /^digits: 10000 examples, /);
  }));

Deno.test("main.ts data names what is wrong", async () => {
  const cases: readonly (readonly [args: string, text: string])[] = [
    ["data", "data: want get or verify, got nothing"],
    ["data get", "data get: want a data set such as cifar10, got none"],
    ["data get cifar1", 'data: no data set "cifar1"; did you mean "cifar10"?'],
  ];
  const answers = await Promise.all(cases.map(([args]) => runEsper(args.split(" "))));
  answers.forEach(({ code, stderr }, k) => {
    assertEquals(code, 2);
    assertStringIncludes(stderr, cases[k][1]);
  });
});
