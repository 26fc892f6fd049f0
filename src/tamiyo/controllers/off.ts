import type { Controller } from "../../contracts/control.ts";
import { wait } from "../actions.ts";
import { readState } from "../state.ts";

/** Never grows anything: the plain host. */
export function createOff(): Controller {
  return {
    kind: "off",
    decide: () => wait("growth is off"),
    save: () => ({ kind: "off" }),
    restore: (saved) => void readState("off", saved),
  };
}
