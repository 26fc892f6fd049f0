/** What a file of an exported network says of itself, and a run of what its network takes. */
import { z } from "zod";
import { Blueprint } from "./blueprint.ts";
import { BuiltHost } from "./config.ts";

const size = z.int().min(1).max(65_536);

/** What a network takes and tells apart. */
export const NetworkInput = z.strictObject({
  /** Shape of one example: [H, W, C] or [F]. */
  shape: z.array(size).refine(({ length }) => length === 1 || length === 3, "want [H, W, C] or [F]"),
  /** Names of the classes, in the order of the logits. */
  classes: z.array(z.string()).min(1).max(65_536),
  /** Of each channel of images with values 0 to 1: the network sees (x − mean) / std. Null: it takes values as they are. */
  normalisation: z.strictObject({
    mean: z.array(z.number()).min(1).max(4),
    std: z.array(z.number().positive()).min(1).max(4),
  }).nullable(),
}).superRefine(({ shape, normalisation }, context) => {
  const channels = shape[shape.length - 1];
  const lists = normalisation ? [normalisation.mean, normalisation.std] : [];
  if (lists.every((list) => list.length === channels)) return;
  context.addIssue({ code: "custom", path: ["normalisation"], message: `want ${channels} values of each` });
});
export type NetworkInput = z.output<typeof NetworkInput>;

/** A seed that stayed: h becomes h + f(h) at its slot, f as the blueprint says. */
const Fossil = z.strictObject({ slot: z.string().min(1).max(256), blueprint: Blueprint });
export type Fossil = z.output<typeof Fossil>;

export const EXPORT_VERSION = 1;

/**
 * A network without slots: how it is built. Its numbers are tensors of the same file, under the names that its layers
 * give them; those of the k-th fossil of a slot begin with `fossil/<slot>/<k>/`, counted from 1.
 */
export const ExportedNetwork = z.strictObject({
  version: z.literal(EXPORT_VERSION),
  host: BuiltHost,
  input: NetworkInput,
  /** In the order in which they grew: of one slot, the later sits behind the earlier. */
  fossils: z.array(Fossil).max(256),
  /** Where it comes from; nothing depends on it. */
  origin: z.strictObject({
    run: z.string(),
    step: z.int().min(0),
    dataset: z.string(),
    esper: z.string(),
  }),
});
export type ExportedNetwork = z.output<typeof ExportedNetwork>;
