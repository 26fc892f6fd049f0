import { z } from "zod";

const nats = z.number().min(0);

/** How decisions are paid; all losses and rates in nats. */
export const RewardConfig = z.strictObject({
  mode: z.enum(["twin", "sparse", "removal"]).default("twin").describe(
    "twin: change of the loss advantage over a run that never grows, at equal FLOPs; sparse: all of it at the end; " +
      "removal: what the loss rises by where the fossils are taken out (for comparison: hosts lean on useless seeds, too).",
  ),
  rent: z.strictObject({
    params: nats.default(0.01).describe("Nats charged for fossils with as many parameters as the host."),
    flops: nats.default(0.02).describe("Nats charged for fossils with as many FLOPs as the host."),
  }).prefault({}).describe("What the final network is charged for its size."),
}).prefault({}).describe("How decisions are paid.");
export type RewardConfig = z.output<typeof RewardConfig>;
