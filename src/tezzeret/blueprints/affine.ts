import type { Blueprint } from "../../contracts/blueprint.ts";

/** h·w + b for each channel: can mix and detect nothing, so what it gains any seed gains. */
export const affine: Blueprint = {
  name: "affine",
  version: 1,
  about: "placebo: scale and shift of each channel",
  nodes: [
    { name: "scaled", op: "scale", inputs: ["h"] },
    { name: "shifted", op: "bias", inputs: ["scaled"] },
  ],
};
