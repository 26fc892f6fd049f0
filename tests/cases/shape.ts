import type { OpCase } from "./types.ts";

export const shapeCases: readonly OpCase[] = [
  { name: "reshape", op: "reshape", inputs: [{ shape: [3, 4] }], attrs: { shape: [2, 6] } },
];
