/** A visitor of the page without a page: sends commands to the training, and waits for what it tells. */
import { openDevice } from "../../src/engine/gpu/device.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { buildData } from "../../src/web/adapters/build.ts";
import type { Command, Message, OwnImages, Snapshot } from "../../src/web/protocol.ts";
import { parseSetup } from "../../src/web/setup.ts";
import { createTraining } from "../../src/web/training.ts";

type Of<K extends Message["kind"]> = Extract<Message, { kind: K }>;

const site = await buildData();

export interface Visitor extends AsyncDisposable {
  readonly told: readonly Message[];
  /** The device that is in use. */
  readonly gpu: Gpu;
  send(command: Command): void;
  /** The newest message of a kind. */
  last<K extends Message["kind"]>(kind: K): Of<K>;
  /** Resolves with the next message of a kind that passes. */
  next<K extends Message["kind"]>(kind: K, passes?: (message: Of<K>) => boolean): Promise<Of<K>>;
  /** Begins a run and waits until it stands ready. */
  start(hash: string, given?: { images?: OwnImages; network?: Uint8Array<ArrayBuffer> }): Promise<Snapshot>;
  /** Trains so many ticks. */
  train(ticks: number): Promise<Snapshot>;
}

/** A visitor on Deno's own WebGPU. */
export function createVisitor(): Visitor {
  const told: Message[] = [];
  const gpus: Gpu[] = [];
  let seen = 0, wake = () => {};
  const send = createTraining({
    async openGpu() {
      const gpu = await openDevice(navigator.gpu, "native");
      gpus.push(gpu);
      return gpu;
    },
    load: (name) => Promise.resolve(site[name]),
    post(message) {
      told.push(message);
      wake();
    },
  });

  async function next<K extends Message["kind"]>(kind: K, passes: (message: Of<K>) => boolean = () => true) {
    for (;;) {
      while (seen < told.length) {
        const message = told[seen++];
        if (message.kind === kind && passes(message as Of<K>)) return message as Of<K>;
        if (message.kind === "failed") throw new Error(message.text);
      }
      await new Promise<void>((resolve) => wake = resolve);
    }
  }

  const last = <K extends Message["kind"]>(kind: K) =>
    told.findLast((message) => message.kind === kind) as Of<K>;
  async function idle(): Promise<Snapshot> {
    await next("state", ({ state }) => state === "paused" || state === "finished");
    return last("snapshot").snapshot;
  }

  return {
    told,
    last,
    get gpu() {
      return gpus.at(-1)!;
    },
    send,
    next,
    async start(hash, { images = null, network = null } = {}) {
      send({ kind: "start", setup: parseSetup(hash).setup, images, network });
      return await idle();
    },
    async train(ticks) {
      send({ kind: "train", ticks });
      return await idle();
    },
    [Symbol.asyncDispose]() {
      for (const gpu of gpus) gpu.destroy();
      return Promise.resolve();
    },
  };
}
