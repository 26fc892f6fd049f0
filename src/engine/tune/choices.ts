import { formatShape } from "../../util/shape.ts";
import { UserError } from "../../util/errors.ts";
import { type ChooseVariant, firstFit } from "../compile/schedule.ts";
import type { Call, TensorType } from "../gpu/kernel.ts";

/** Ids of variants, by `kernelKey`. */
export type VariantIds = Readonly<Record<string, string>>;

/** What was chosen elsewhere. */
export interface ChoiceSource {
  readonly variants: VariantIds;
  /** Name of the file, for errors. */
  readonly origin: string;
  /** What to do where it names a variant that there is not, or that does not fit. */
  readonly cure: string;
}

const typeText = ({ dtype, shape, stored }: TensorType) => `${stored ?? dtype}${formatShape(shape)}`;

/** What a choice goes by: `matmul f32[8, 4] f32[4, 8] -> f32[8, 8] transposeA=false transposeB=false`. */
export function kernelKey(op: string, { inputs, output, attrs }: Call): string {
  const settings = Object.keys(attrs).sort().map((name) => ` ${name}=${attrs[name]}`);
  return `${op} ${inputs.map(typeText).join(" ")} -> ${typeText(output)}${settings.join("")}`;
}

/**
 * Chooses variants as the first source that knows the case says, else the first that fits, and remembers each choice:
 * other variants may add in another order and so give other bits.
 */
export class KernelChoices {
  readonly #sources: readonly ChoiceSource[];
  readonly #used: Map<string, string>;

  /** @param used Choices made earlier, which `used` tells too. */
  constructor(sources: readonly ChoiceSource[] = [], used: VariantIds = {}) {
    this.#sources = sources;
    this.#used = new Map(Object.entries(used));
  }

  /** All choices made so far, in order of their keys. */
  get used(): VariantIds {
    return Object.fromEntries([...this.#used].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** What was chosen elsewhere, the first source first: for those who choose on another thread. */
  get given(): VariantIds {
    return Object.assign({}, ...this.#sources.map(({ variants }) => variants).toReversed());
  }

  /** @throws {UserError} where a source names a variant that there is not, or that does not fit. */
  readonly choose: ChooseVariant = (op, variants, call, device) => {
    const key = kernelKey(op, call);
    const source = this.#sources.find(({ variants }) => Object.hasOwn(variants, key));
    const variant = source
      ? variants.find((one) => one.id === source.variants[key])
      : firstFit(op, variants, call, device);
    if (!variant?.fits(call, device)) {
      const { origin, cure, variants: ids } = source!;
      const fitting = variants.filter((one) => one.fits(call, device)).map(({ id }) => id).join(", ");
      throw new UserError(`${origin}: ${key}: want one of ${fitting}, got "${ids[key]}"; ${cure}`);
    }
    this.#used.set(key, variant.id);
    return variant;
  };
}
