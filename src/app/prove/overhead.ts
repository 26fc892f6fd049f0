/** What slots cost that nothing grows in, by the clock of the device that proves. */
import type { RunConfig } from "../../contracts/config.ts";
import type { Overhead, ProofConfig } from "../../contracts/proof.ts";
import { StepQueue } from "../../engine/compile/step_queue.ts";
import type { Gpu } from "../../engine/gpu/device.ts";
import { settled } from "../../engine/gpu/readback.ts";
import type { Model } from "../../engine/nn/scope.ts";
import { nextStep } from "../../tolaria/mod.ts";
import { bootstrapMedian } from "../../util/statistics.ts";
import { loadHost } from "../host_file.ts";
import { buildHost } from "../hosts.ts";
import type { LoadedDataset } from "../loaded_dataset.ts";
import { buildNetwork, type Network } from "../network.ts";
import { createSession } from "../session.ts";

/** Steps that a submit takes. */
const AT_A_TIME = 10;

/** Trains in blocks of steps. */
interface Stepper {
  /** Milliseconds a step. */
  block(steps: number): Promise<number>;
  destroy(): Promise<void>;
}

/** The host as it is without slots. */
function withoutSlots(network: Network, plain: Model): Network {
  const none = { stopAt: [], taps: new Map(), seeds: new Map() };
  return {
    ...network,
    model: {
      classes: network.model.classes,
      slots: [],
      groupOf: () => "host",
      trace: (scope, x) => ({ logits: plain.forward(scope, x), ...none }),
    },
  };
}

async function openStepper(
  config: RunConfig,
  gpu: Gpu,
  data: LoadedDataset,
  network: Network,
): Promise<Stepper> {
  const session = createSession({ config, gpu, data, network, folder: null, onEvent() {} });
  const { trainer } = session, queue = new StepQueue(gpu);
  await session.start(false);
  const { trainRing } = trainer.assembler;
  return {
    async block(steps) {
      await trainRing.drain();
      await settled(gpu);
      const started = performance.now();
      for (let done = 0; done < steps; done += AT_A_TIME) {
        queue.submit(Array.from({ length: Math.min(AT_A_TIME, steps - done) }, () => nextStep(trainer)));
      }
      await settled(gpu);
      return (performance.now() - started) / steps;
    },
    async destroy() {
      queue.destroy();
      await session.destroy();
    },
  };
}

/**
 * Time of a training step of the task's host with dormant slots, as a multiple of that without: blocks of both take turns,
 * ABBA, and the median of the pairs' ratios is given with its bootstrap interval.
 */
export async function measureOverhead(
  gpu: Gpu,
  task: RunConfig,
  data: LoadedDataset,
  { pairs, seconds }: ProofConfig["overhead"],
): Promise<Overhead> {
  const config: RunConfig = {
    ...task,
    controller: { kind: "off" },
    train: { ...task.train, budgetGflop: 1e12 },
    // Metrics are read between blocks.
    loop: { ...task.loop, tickSteps: 1e9, metricsSteps: 1000 },
  };
  const { shape, classes } = data.dataset;
  const { from } = await loadHost(config, null);
  const network = buildNetwork(config, shape, classes.length, from);
  const plain = config.host.kind === "file" ? from!.model : buildHost(config.host, shape, classes.length);
  const without = await openStepper(config, gpu, data, withoutSlots(network, plain));
  const dormant = await openStepper(config, gpu, data, network);
  try {
    for (const one of [without, dormant]) await one.block(4);
    const probe = await without.block(AT_A_TIME);
    const steps = Math.max(2, Math.min(900, Math.round(1e3 * seconds / probe)));
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const turns = pair % 2 === 0 ? [without, dormant] : [dormant, without];
      const first = await turns[0].block(steps), second = await turns[1].block(steps);
      ratios.push(pair % 2 === 0 ? second / first : first / second);
    }
    const { median, low, high } = bootstrapMedian(ratios);
    return { slots: network.model.slots.length, pairs, steps, ratio: median, low, high };
  } finally {
    await without.destroy();
    await dormant.destroy();
  }
}
