// All benchmarks of the engine, one after the other. `deno task bench` adds --quick: small sizes and few rounds, which any
// machine gets through in half a minute. Figures that mean something want `deno run -A bench/all.ts`.
//
//   deno task bench [--only step,gemm] [options that all benchmarks share, such as --backend native]
//
// Not among them: bench/peers.ts (other engines), bench/torch_steps.py (PyTorch),
// and bench/mixed.ts (does mixed precision cost accuracy?).
const PROGRAMS = [
  "gemm",
  "conv",
  "elementwise",
  "memory_bound",
  "dispatch",
  "readback",
  "compile",
  "step",
  "compiling",
  "scaling",
  "slots",
  "bus",
  "kernel_cache",
  "store",
];

const at = Deno.args.indexOf("--only");
const chosen = at === -1 ? PROGRAMS : Deno.args[at + 1].split(",");
const rest = at === -1 ? Deno.args : Deno.args.toSpliced(at, 2);
let failures = 0;
for (const program of chosen) {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(`${program}.ts`, import.meta.url).pathname, ...rest],
  }).spawn().status;
  if (code !== 0) failures++;
  console.log();
}
Deno.exit(failures === 0 ? 0 : 1);
