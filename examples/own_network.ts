// A network of one's own that grows while it trains, and what it says of a point: deno run -A examples/own_network.ts
import {
  dense,
  evaluate,
  gelu,
  grow,
  type Model,
  morph,
  softmax,
  spirals,
  stepInput,
  TraceScope,
} from "esper";
import { openGpu } from "esper/gpu";

/** Too narrow for three arms of a long spiral. `tap` names the places where a slot may sit. */
const narrow: Model = {
  name: "narrow",
  input: [2],
  classes: 3,
  forward(scope, x) {
    const first = scope.tap("first", gelu(dense(scope, "first", x, 8)));
    const second = scope.tap("second", gelu(dense(scope, "second", first, 8)));
    return dense(scope, "head", second, 3);
  },
};
console.log(morph(narrow, ["*"]).slots.map(({ name, shape }) => `slot ${name} [${shape}]`).join("\n"));

const data = await spirals(1, { classes: 3, count: 3000, test: 500, noise: 0.02, turns: 1.5 });
const gpu = await openGpu("auto");
const { model, weights, seeds, validation, host, grown } = await grow({
  gpu,
  data,
  model: narrow,
  settings: {
    train: {
      ...{ batch: 64, budgetGflop: 1, maxSteps: 1500, optimizer: { kind: "adamw" } },
      learningRate: { peak: 0.02, warmup: 0.05 },
    },
    growth: { blueprints: ["mlp", "pointwise"], paramsBudget: 8, flopsBudget: 8, alpha: { ticks: 2 } },
    loop: { tickSteps: 25 },
    controller: { kind: "heuristic" },
    split: { control: 500, validation: 500 },
  },
  onEvent({ topic, payload }) {
    if (topic !== "seed.edge") return;
    const { seed, blueprint, from, to, reason } = payload;
    console.log(`${seed} (${blueprint}): ${from} to ${to}, ${reason}`);
  },
});
gpu.destroy();
console.log(
  `${seeds.length} seeds, ${host.params} to ${grown.params} parameters, ` +
    `${(100 * validation.accuracy).toFixed(1)} % of validation points right`,
);

// The grown network is a graph like any other: here it runs on the CPU.
const chances = softmax(model.forward(new TraceScope("running"), stepInput("point", [1, 2])));
const feeds = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data]));
const [answer] = evaluate([chances], { ...feeds, point: [0.3, 0.1] });
console.log(`at (0.3, 0.1): ${[...answer].map((chance) => chance.toFixed(3)).join(", ")}`);
