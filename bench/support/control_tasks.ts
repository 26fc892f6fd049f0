/** The two tasks of Gymnasium that PPO is verified on: CartPole-v1, which it must solve, and MountainCar-v0, where it must fail. */
import type { Environment } from "../../src/tamiyo/mod.ts";
import { prng } from "../../src/util/prng.ts";

type Seen = readonly number[];

/** Pole on a cart (Barto, Sutton and Anderson 1983), Euler steps of 0.02 s; 1 for each step, 500 at most. */
export function cartPole(): Environment<Seen> {
  let state = [0, 0, 0, 0], steps = 0;
  return {
    reset(seed) {
      const random = prng(seed, "cartpole");
      [state, steps] = [state.map(() => 0.1 * random.uniform() - 0.05), 0];
      return state;
    },
    step(action) {
      const [x, v, angle, spin] = state, force = action === 1 ? 10 : -10;
      const pushed = (force + 0.05 * spin * spin * Math.sin(angle)) / 1.1;
      const turn = (9.8 * Math.sin(angle) - Math.cos(angle) * pushed) /
        (0.5 * (4 / 3 - 0.1 * Math.cos(angle) ** 2 / 1.1));
      const push = pushed - 0.05 * turn * Math.cos(angle) / 1.1;
      state = [x + 0.02 * v, v + 0.02 * push, angle + 0.02 * spin, spin + 0.02 * turn];
      const terminated = Math.abs(state[0]) > 2.4 || Math.abs(state[2]) > 12 * Math.PI / 180;
      return { observation: state, reward: 1, terminated, truncated: ++steps === 500 && !terminated };
    },
  };
}

/** A car too weak for the hill (Moore 1990): −1 for each step, 200 at most. Without exploring far nothing is ever learned. */
export function mountainCar(): Environment<Seen> {
  let x = 0, v = 0, steps = 0;
  return {
    reset(seed) {
      [x, v, steps] = [0.2 * prng(seed, "mountaincar").uniform() - 0.6, 0, 0];
      return [x, v];
    },
    step(action) {
      v = Math.max(-0.07, Math.min(0.07, v + 0.001 * (action - 1) - 0.0025 * Math.cos(3 * x)));
      x = Math.max(-1.2, Math.min(0.6, x + v));
      if (x === -1.2 && v < 0) v = 0;
      const terminated = x >= 0.5;
      return { observation: [x, v], reward: -1, terminated, truncated: ++steps === 200 && !terminated };
    },
  };
}
