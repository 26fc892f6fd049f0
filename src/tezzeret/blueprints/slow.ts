import type { Blueprint, BlueprintNode } from "../../contracts/blueprint.ts";

const LAYERS = 12;

/** Costs far more time than any other blueprint for what it can learn. */
export const slow: Blueprint = {
  name: "slow",
  version: 1,
  about: "fault: a dozen 5x5 convolutions",
  fault: true,
  nodes: Array.from({ length: LAYERS }, (_, k): BlueprintNode[] => [
    { name: `norm${k}`, op: "groupNorm", inputs: [k === 0 ? "h" : `conv${k - 1}`] },
    { name: `conv${k}`, op: "conv", inputs: [`norm${k}`], kernel: 5, out: "C" },
  ]).flat(),
};
