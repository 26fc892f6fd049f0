/** What bench/torch_steps.py measured. */
export interface TorchTimes {
  /** Versions and device. */
  readonly machine: string;
  /** In the order of the file. */
  readonly modes: readonly string[];
  /** Milliseconds a step; undefined where it was not measured. */
  find(model: string, batch: number, mode: string): number | undefined;
}

interface Line {
  readonly model: string;
  readonly batch: number;
  readonly mode: string;
  readonly ms: number;
  readonly torch: string;
  readonly device: string;
}

/** Reads the lines of JSON that `torch_steps.py --json FILE` writes. */
export function readTorch(path: string): TorchTimes {
  const lines: Line[] = Deno.readTextFileSync(path).trim().split("\n").map((line) => JSON.parse(line));
  return {
    machine: `PyTorch ${lines[0].torch} on ${lines[0].device}`,
    modes: [...new Set(lines.map(({ mode }) => mode))],
    find: (model, batch, mode) =>
      lines.find((line) => line.model === model && line.batch === batch && line.mode === mode)?.ms,
  };
}
