/** What kernels must hold whose operands are stored as f16. Web APIs only: tests and pages share it. */
import { evaluate, type Feeds } from "../../src/engine/compile/reference.ts";
import { type Halves, storedCallOf } from "../../src/engine/compile/storage.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { Call } from "../../src/engine/gpu/kernel.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import type { OpCase } from "../cases/types.ts";
import { type Choice, choosing, graphOf, instantiate } from "./case_checks.ts";
import { assertClose } from "./close.ts";
import { runGraph } from "./run_graph.ts";

/** Rounding to f16, in multiples of float32's epsilon: half of 2^-10. */
const HALF_ROUNDING = 2 ** 12;

/** What of a case is stored as halves: inputs by index, and the result. */
export interface HalfStorage {
  readonly inputs: readonly number[];
  readonly result: boolean;
}

/**
 * How the operands of a case may be stored: all as halves, the result too where mixed precision would store it so, and
 * then, for kernels, each input by itself.
 */
export function storagesOf(opCase: OpCase): readonly [all: HalfStorage, ...rest: HalfStorage[]] {
  const { lower, storage } = opTable[opCase.op];
  const { output } = graphOf(opCase);
  const formula = typeof lower === "object" && "wgsl" in lower;
  const inputs = opCase.inputs.flatMap(({ dtype = "f32" }, k) => dtype === "f32" ? [k] : []);
  const result = output.dtype === "f32" && (formula || storage === "half" || storage === "inherited");
  const alone = formula || inputs.length < 2 ? [] : inputs.map((k) => ({ inputs: [k], result: false }));
  return [{ inputs, result }, ...alone];
}

function halvesOf({ inputs, output }: ReturnType<typeof graphOf>, storage: HalfStorage): Halves {
  return new Set([...storage.inputs.map((k) => inputs[k]), ...storage.result ? [output] : []]);
}

/** A case as its kernels see it when it is stored so. */
export function halfCallOf(opCase: OpCase, storage: HalfStorage): Call {
  const graph = graphOf(opCase);
  return storedCallOf(graph.output, halvesOf(graph, storage));
}

/**
 * Checks one kernel of a case with operands stored as halves against the reference of operands rounded to halves.
 *
 * @throws {Error} naming case, kernel, storage and worst element.
 */
export async function checkHalves(
  gpu: Gpu,
  opCase: OpCase,
  { id, traits }: Choice,
  storage: HalfStorage,
): Promise<void> {
  const graph = instantiate(opCase);
  const { output } = graph;
  const feeds: Feeds = Object.fromEntries(
    graph.inputs.map(({ dtype }, k) => {
      const values = graph.feeds[`in${k}`];
      return [`in${k}`, dtype === "u32" ? values : Float64Array.from(values, Math.f16round)];
    }),
  );
  const { slack = 16, terms = 1 } = opCase;
  const tolerance = { slack: slack * Math.sqrt(terms) + (storage.result ? HALF_ROUNDING : 0), terms: 1 };
  const what = `${opCase.name} (${id}, halves: ${storage.inputs}${storage.result ? " and the result" : ""})`;
  const device = { ...gpu, traits }, halves = halvesOf(graph, storage);
  const [got] = await runGraph(device, [output], feeds, choosing(opCase.op, id), halves);
  assertClose(got, evaluate([output], feeds)[0], tolerance, what);
}
