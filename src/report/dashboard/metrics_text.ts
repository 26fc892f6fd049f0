/** A run's newest numbers in Prometheus' text format (version 0.0.4). */
import { livesOf, type Story } from "../story.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: unknown, labels?: Labels];

const escape = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function sample(name: string, [value, labels = {}]: Sample): string {
  const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escape(label)}"`).join(",");
  return `${name}${pairs === "" ? "" : `{${pairs}}`} ${value === null ? NaN : Number(value)}\n`;
}

/** All of them; `clients` are those who follow the run. */
export function metricsText(story: Story, clients: number): string {
  const { started, finished, metrics, ticks, edges, rollbacks, vetoes, people } = story;
  const last = metrics.at(-1), tick = ticks.at(-1);
  const lives = livesOf(story);
  const edgesTo = Object.groupBy(edges, ({ to }) => to);
  const families: [name: string, type: "gauge" | "counter", help: string, samples: Sample[]][] = [
    [
      "esper_info",
      "gauge",
      "What runs.",
      started
        ? [[1, {
          run: started.run,
          dataset: started.dataset,
          adapter: started.adapter,
          profile: started.profile,
        }]]
        : [],
    ],
    ["esper_running", "gauge", "1 while the run goes on.", [[started !== null && finished === null ? 1 : 0]]],
    ["esper_step", "gauge", "Optimiser steps taken.", last ? [[last.step]] : []],
    ["esper_tick", "gauge", "Ticks passed.", tick ? [[tick.tick]] : []],
    ["esper_train_loss", "gauge", "Loss of the newest training batches, nats.", last ? [[last.loss]] : []],
    ["esper_train_accuracy", "gauge", "Accuracy of them, 0 to 1.", last ? [[last.accuracy]] : []],
    ["esper_learning_rate", "gauge", "Learning rate of the host.", last ? [[last.learningRate]] : []],
    [
      "esper_examples_per_second",
      "gauge",
      "Training examples a second.",
      last ? [[last.imagesPerSecond]] : [],
    ],
    ["esper_flops_total", "counter", "FLOPs spent.", last ? [[last.flops]] : []],
    ["esper_flops_budget", "gauge", "FLOPs at which the run ends.", started ? [[started.budgetFlops]] : []],
    ["esper_control_loss", "gauge", "Loss on the control split, nats.", tick ? [[tick.controlLoss]] : []],
    [
      "esper_slot_alpha",
      "gauge",
      "How much of a slot's seed is blended in.",
      (tick?.slots ?? []).map(
        ({ slot, stage, blueprint, alpha }) => [alpha, { slot, stage, blueprint: blueprint ?? "" }],
      ),
    ],
    ["esper_seeds_total", "counter", "Seeds germinated.", [[lives.length]]],
    [
      "esper_edges_total",
      "counter",
      "Changes of stage, by the stage entered.",
      Object.entries(edgesTo).map(
        ([to, list]) => [list.length, { to }],
      ),
    ],
    ["esper_rollbacks_total", "counter", "Rollbacks.", [[rollbacks.length]]],
    ["esper_refusals_total", "counter", "Actions refused.", [[vetoes.length]]],
    ["esper_person_decisions_total", "counter", "Times that someone stepped in.", [[people.length]]],
    ["esper_dashboard_clients", "gauge", "Those who follow the run.", [[clients]]],
  ];
  return families.filter(([, , , samples]) => samples.length > 0).map(([name, type, help, samples]) =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((one) => sample(name, one)).join("")}`
  ).join("");
}
