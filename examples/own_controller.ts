// A controller of one's own: it sows one seed where the gradient is largest, and keeps it if it pays.
// deno run -A examples/own_controller.ts
import { type Action, grow, mlp, type PatientController, spirals } from "esper";
import { openGpu } from "esper/gpu";

/** Decides once a tick; what it may do now is in `legal`, where `wait` always is. */
function greedy(): PatientController {
  let sown = 0;
  return {
    kind: "off",
    decide({ tick, legal, slots }) {
      const gradient = new Map(slots.map(({ slot, hostGradNorm }) => [slot, hostGradNorm ?? 0]));
      const sowings = legal.filter((action) => action.kind === "germinate")
        .sort((a, b) => gradient.get(b.slot)! - gradient.get(a.slot)!);
      const onwards = legal.find(({ kind }) => kind === "fossilize" || kind === "advance");
      const sow = tick >= 4 && sown === 0 ? sowings[0] : undefined;
      if (sow) sown++;
      const action: Action = onwards ?? sow ?? { kind: "wait" };
      return { action, why: sow ? "most is to be learned here" : "one seed at a time", warnings: [] };
    },
    save: () => sown,
    restore: (state) => void (sown = Number(state)),
  };
}

const data = await spirals(1, { classes: 3, count: 3000, test: 500, noise: 0.02, turns: 0.75 });
const gpu = await openGpu("auto");
const { seeds, validation } = await grow({
  gpu,
  data,
  model: mlp(data.shape, 3, [8, 8]),
  controller: greedy(),
  settings: {
    train: {
      ...{ batch: 64, budgetGflop: 1, maxSteps: 900, optimizer: { kind: "adamw" } },
      learningRate: { peak: 0.02, warmup: 0.05 },
    },
    growth: { blueprints: ["mlp"], paramsBudget: 8, flopsBudget: 8, alpha: { ticks: 2 } },
    loop: { tickSteps: 25 },
    split: { control: 500, validation: 500 },
  },
});
gpu.destroy();
for (const { seed, blueprint, stage, reason } of seeds) {
  console.log(`${seed} ${blueprint}: ${stage}, ${reason}`);
}
console.log(`${(100 * validation.accuracy).toFixed(1)} % of validation points right`);
