/** Which kernels of an op to check in which of its cases, so that each is checked and few are compiled. Data only. */
import { emitFusion } from "../../src/engine/compile/fuse_emit.ts";
import { callOf, flopsOf } from "../../src/engine/compile/schedule.ts";
import type { Call, DeviceTraits, Dispatch, Variant } from "../../src/engine/gpu/kernel.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import { sizeOf } from "../../src/util/shape.ts";
import type { OpCase } from "../cases/types.ts";
import { type Choice, choicesOf, graphOf } from "./case_checks.ts";
import { halfCallOf, type HalfStorage, storagesOf } from "./half_checks.ts";

/**
 * In which cases to check kernels that the device takes in none by itself, those for GPUs on a CPU and the reverse: in all
 * that they fit, or in the largest. Some compilers take seconds for one.
 */
export type ForeignKernels = "every case" | "largest case";

/** One kernel with operands stored as halves. */
export interface HalfCheck {
  readonly opCase: OpCase;
  readonly choice: Choice;
  readonly storage: HalfStorage;
}

const elementsOf = ({ inputs }: OpCase) => inputs.reduce((total, { shape }) => total + sizeOf(shape), 0);

/** Elements read and FLOPs. */
const workOf = (opCase: OpCase) => elementsOf(opCase) + flopsOf([graphOf(opCase).output]);

/** The WGSL with which a call is computed, shapes left open. */
function textOf(opCase: OpCase, call: Call, { id, traits }: Choice): string {
  const { lower } = opTable[opCase.op];
  const { output } = graphOf(opCase);
  const dispatches: readonly Dispatch[] = Array.isArray(lower)
    ? (lower as readonly Variant[]).find((variant) => variant.id === id)!.lower(call, traits).dispatches
    : lower === "view"
    ? []
    : [emitFusion({ nodes: [output], reads: output.inputs }, traits.software)];
  return dispatches.map(({ source }) => source).join("\n");
}

/** Settings that choose branches of a kernel, such as transposed operands. */
function flagsOf({ attrs = {} }: OpCase): string {
  return Object.values(attrs).filter((value) => typeof value === "boolean").join();
}

/** Whether a key is new to a set, which it then joins. */
function isNew(seen: Set<string>, ...key: readonly unknown[]): boolean {
  const text = JSON.stringify(key);
  return !seen.has(text) && seen.add(text) !== undefined;
}

/**
 * The kernels to check in each case. What the device takes in some case by itself is checked in all. Other variants of one
 * text differ in constants, as tiles of products do in size: where every case is checked, each case checks the first of
 * them, and each further one is in the case with the most work, for each setting of the op; that case is several tiles
 * large with rows and columns left over. Else a text is checked in the case with the most work alone.
 */
export function kernelsToCheck(
  cases: readonly OpCase[],
  traits: DeviceTraits,
  foreign: ForeignKernels,
): Map<OpCase, Choice[]> {
  const largestFirst = cases.toSorted((a, b) => workOf(b) - workOf(a));
  const all = largestFirst.map((opCase) => [opCase, choicesOf(opCase, traits)] as const);
  const own = new Set(all.flatMap(([, choices]) => choices.filter(({ first }) => first).map(({ id }) => id)));
  const seen = new Set<string>();
  return new Map(all.map(([opCase, choices]) => {
    const call = callOf(graphOf(opCase).output);
    const wanted = (choice: Choice) => {
      const text = textOf(opCase, call, choice);
      if (foreign === "largest case") return isNew(seen, text) || own.has(choice.id);
      const newText = isNew(seen, opCase.name, text), newVariant = isNew(seen, choice.id, flagsOf(opCase));
      return newText || newVariant || own.has(choice.id);
    };
    return [opCase, choices.filter(wanted)];
  }));
}

/**
 * The checks of an op with operands stored as halves. For each text of its kernels and each storage, a case of
 * middling size: sizes are constants that halves do not touch. Kernels that fit halves alone are checked nowhere else:
 * the one that the device takes by itself in every case, each variant and each text in each storage, and each variant of
 * each text for each setting of the op.
 */
export function halfChecksOf(cases: readonly OpCase[], traits: DeviceTraits): HalfCheck[] {
  const largestFirst = cases.toSorted((a, b) => workOf(b) - workOf(a));
  const smallestFirst = cases.toSorted((a, b) => elementsOf(a) - elementsOf(b));
  const tiny = smallestFirst.splice(0, cases.length >> 1);
  /** Kernels that fit the case with its operands as f32, too, or those that do not. */
  const candidates = (some: readonly OpCase[], floats: boolean) =>
    some.flatMap((opCase) => {
      const others = new Set(choicesOf(opCase, traits).map(({ id }) => id));
      return storagesOf(opCase).flatMap((storage, k) => {
        const call = halfCallOf(opCase, storage);
        const choices = choicesOf(opCase, traits, call).filter(({ id }) => others.has(id) === floats);
        return choices.map((choice) => ({
          ...{ opCase, choice, storage },
          text: textOf(opCase, call, choice),
          usual: choice.first && k === 0,
        }));
      });
    });
  const seen = new Set<string>();
  const shared = candidates([...smallestFirst, ...tiny.reverse()], true).filter(({ text, storage }) =>
    text !== "" && isNew(seen, text, storage)
  );
  const halvesOnly = candidates(largestFirst, false).filter(({ opCase, choice, storage, text, usual }) => {
    const news = [
      isNew(seen, choice.id, storage),
      isNew(seen, text, storage),
      isNew(seen, choice.id, text, flagsOf(opCase)),
    ];
    return usual || news.includes(true);
  });
  return [...shared, ...halvesOnly];
}
