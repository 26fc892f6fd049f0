// The common training step (bench/peers/spec.ts) and a matrix product, on this engine, jax-js (the whole step compiled) and
// tfjs (fused convolutions), each through its WebGPU backend: in Deno, and in Chromium on its software adapter. Each engine
// runs in a process of its own and they take turns, one round after the other, so that what disturbs the machine disturbs
// all alike; times are medians over rounds, ratios medians of each round's ratio. Losses must agree.
//
//   deno run -A bench/peers.ts [--where deno,chromium] [--engines esper,jax,tfjs] [--rounds 7] [--json FILE]
//
// The packages of the others are pinned in bench/peers/deno.json; the engine itself does not depend on them.
import { stepFlops } from "./peers/spec.ts";
import { LOSSES, MATRIX, PRODUCTS } from "./peers/spec.ts";
import { processorTime } from "./peers/processes.ts";
import type { Seat } from "./peers/seat.ts";
import type { Reading, Work } from "./peers/serve.ts";
import { readOptions } from "./support/options.ts";
import { digits, range, ratio, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";

/** One reading with the processor time of the engine's processes meanwhile. */
interface Turn extends Reading {
  readonly cpu: number;
}

interface Row extends Record<string, string | number> {
  readonly engine: string;
  readonly ms: number;
  readonly p10: number;
  readonly p90: number;
  readonly slower: number;
  readonly cpu: number;
  readonly cpuSlower: number;
  readonly gflops: number;
}

const options = readOptions({ where: "deno,chromium", engines: "esper,jax,tfjs" });
const engines = options.own.engines.split(",");
const report = startReport("Engines side by side", options, null);
const failures: string[] = [];

const places: Record<string, (program: string) => Promise<Seat>> = {
  deno: async (program) => (await import("./peers/in_deno.ts")).seatInDeno(program),
  chromium: async (program) => (await import("./peers/in_chromium.ts")).seatInChromium(program),
};

async function takeTurn(seat: Seat, work: Work): Promise<Turn> {
  const before = processorTime(seat.processes());
  const reading = await seat.measure(work);
  return { ...reading, cpu: processorTime(seat.processes()) - before };
}

/** Rounds in which each engine takes one turn, the first engine first; the first round compiles and is left out. */
async function takeRounds(seats: readonly Seat[], work: Work): Promise<{ warm: Turn[]; rounds: Turn[][] }> {
  const rounds: Turn[][] = [];
  for (let round = 0; round <= options.rounds; round++) {
    rounds.push([]);
    for (const seat of seats) rounds[round].push(await takeTurn(seat, work));
  }
  return { warm: rounds[0], rounds: rounds.slice(1) };
}

/** Medians by engine; a ratio is to the first engine's turn of the same round. */
function rowsOf(rounds: readonly (readonly Turn[])[], flops: number): Row[] {
  return rounds[0].map(({ engine }, k) => {
    const spread = spreadOf(rounds.map((turns) => turns[k].ms));
    const median = (value: (turns: readonly Turn[]) => number) => spreadOf(rounds.map(value)).median;
    return {
      engine,
      ms: spread.median,
      p10: spread.p10,
      p90: spread.p90,
      slower: median((turns) => turns[k].ms / turns[0].ms),
      cpu: median((turns) => turns[k].cpu),
      cpuSlower: median((turns) => turns[k].cpu / turns[0].cpu),
      gflops: flops / spread.median / 1e6,
    };
  });
}

const COLUMNS: Readonly<Record<string, (row: Row) => string>> = {
  engine: (row) => row.engine,
  ms: (row) => digits(row.ms),
  "80 %": range,
  ratio: (row) => ratio(row.slower, 1),
  "CPU ms": (row) => digits(row.cpu),
  "CPU ratio": (row) => ratio(row.cpuSlower, 1),
  "GFLOP/s": (row) => digits(row.gflops),
};

interface CallRow extends Record<string, string | number> {
  readonly engine: string;
  readonly firstMs: number;
  readonly dispatches: number;
  readonly passes: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly buffers: number;
  readonly writes: number;
  readonly peakBytes: number;
}

const CALL_COLUMNS: Readonly<Record<string, (row: CallRow) => string>> = {
  engine: (row) => row.engine,
  "first ms": (row) => digits(row.firstMs),
  dispatches: (row) => String(row.dispatches),
  passes: (row) => String(row.passes),
  submits: (row) => String(row.submits),
  "bind groups": (row) => String(row.bindGroups),
  buffers: (row) => String(row.buffers),
  writes: (row) => String(row.writes),
  "peak MB": (row) => (row.peakBytes / 1e6).toFixed(1),
};

/** How far the losses of two engines may lie apart: sums run in different orders. */
const TOLERANCE = 1e-4;

/** Compares the losses of the first steps with the reference. */
function checkLosses(where: string, turns: readonly (readonly Turn[])[]): void {
  for (const [k, { engine }] of turns[0].entries()) {
    const losses = turns.map((round) => round[k].loss!);
    report.note(
      `losses of ${engine}: ${losses.slice(0, LOSSES.length).map((loss) => loss.toFixed(5)).join(" ")}`,
    );
    const wrong = LOSSES.findIndex((want, step) => Math.abs((losses[step] ?? want) - want) > TOLERANCE);
    if (wrong >= 0) {
      failures.push(
        `${engine} in ${where}: want loss ${LOSSES[wrong]} at step ${wrong + 1}, got ${losses[wrong]}`,
      );
    }
  }
}

for (const where of options.own.where.split(",")) {
  const seats: Seat[] = [];
  try {
    for (const engine of engines) seats.push(await places[where](engine));
    const { warm, rounds } = await takeRounds(seats, "step");
    const adapter = warm.find((turn) => turn.adapter)?.adapter ?? "";
    report.table(`Training step in ${where}, ${adapter}`, COLUMNS, rowsOf(rounds, stepFlops()));
    checkLosses(where, [warm, ...rounds]);
    report.table(
      `Calls of one step in ${where}`,
      CALL_COLUMNS,
      rounds.at(-1)!.map(({ adapter: _a, loss: _l, ms: _m, cpu: _c, ...calls }, k) => ({
        ...calls,
        firstMs: warm[k].ms,
      })),
    );
    const products = await takeRounds(seats, "products");
    report.table(
      `Matrix product ${MATRIX} × ${MATRIX} × ${MATRIX} in ${where}, ${PRODUCTS} at a time`,
      COLUMNS,
      rowsOf(products.rounds, 2 * MATRIX ** 3 * PRODUCTS),
    );
  } finally {
    for (const seat of seats) await seat.close();
  }
}
report.finish();
if (failures.length > 0) {
  console.error(failures.join("\n"));
  Deno.exit(1);
}
