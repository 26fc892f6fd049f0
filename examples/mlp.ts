// Trains an MLP on three spiral arms: deno run -A examples/mlp.ts
import { grow, mlp, spirals } from "esper";
import { openGpu } from "esper/gpu";

const data = await spirals(1, { classes: 3, count: 3000, test: 500, noise: 0.02, turns: 0.75 });
const gpu = await openGpu("auto");
const train = { batch: 64, budgetGflop: 1, maxSteps: 400 };
const { steps, validation } = await grow({
  gpu,
  data,
  model: mlp(data.shape, data.classes.length, [32, 32]),
  settings: {
    train: { ...train, optimizer: { kind: "adamw" }, learningRate: { peak: 0.02, warmup: 0.1 } },
    controller: { kind: "off" },
    split: { control: 200, validation: 500 },
  },
});
gpu.destroy();
console.log(`${steps} steps: ${(100 * validation.accuracy).toFixed(1)} % of validation points right`);
