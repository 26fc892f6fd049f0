import { Calibration } from "../tamiyo/simulator/calibration.ts";
import found from "./calibration.json" with { type: "json" };

/** What the simulator's tasks are drawn around: written by `bench/simulator_fit.ts`. */
export const calibration = Calibration.parse(found);
