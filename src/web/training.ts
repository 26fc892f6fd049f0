/** What the worker does with the page's commands. It knows neither page nor worker, so that it runs anywhere. */
import { type LiveRun, openLiveRun } from "../app/live_run.ts";
import type { LoadedDataset } from "../app/loaded_dataset.ts";
import { openPolicy } from "../app/policy.ts";
import type { Action, SlotObservation, Stage } from "../contracts/control.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { RunConfig } from "../contracts/config.ts";
import type { Dataset } from "../engine/data/dataset.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import { eventLines } from "../report/event_lines.ts";
import { UserError } from "../util/errors.ts";
import { loadImages, normalised, shareOut } from "./data.ts";
import type { Command, Message, Scored, SlotView, Snapshot } from "./protocol.ts";
import { configOf } from "./run_config.ts";
import { createGallery, type Gallery } from "./views.ts";

/** Files that lie beside the page. */
export type AssetName = "digits.bin.gz" | "policy.safetensors";

export interface Services {
  openGpu(): Promise<Gpu>;
  load(name: AssetName): Promise<Uint8Array<ArrayBuffer>>;
  post(message: Message): void;
}

type StartCommand = Extract<Command, { kind: "start" }>;
type Who = "grown" | "twin";

/** Everything of one run, until the next one starts. */
interface Stand {
  readonly command: StartCommand;
  readonly config: RunConfig;
  readonly data: LoadedDataset;
  readonly gallery: Gallery;
  readonly policy: Awaited<ReturnType<typeof openPolicy>> | null;
  runs: { grown: LiveRun; twin: LiveRun | null };
}

/** Milliseconds between two looks at boundaries and mistakes while training. */
const VIEW_MS = 150;
/** How often, and how long after one another, a lost device is asked for again. */
const TRIES = 5, PAUSE_MS = 600;

/** The action that leads on from a stage. */
const NEXT: Partial<Record<Stage, "advance" | "fossilize">> = { TRAINING: "advance", HOLDING: "fossilize" };

/** Takes commands one after the other; training goes on between them. */
export function createTraining({ openGpu, load, post }: Services): (command: Command) => void {
  let gpu: Gpu | null = null;
  let stand: Stand | null = null;
  let work: Promise<void> = Promise.resolve();
  /** Ticks still to train. */
  let ticks = 0;
  let msPerTick = 0, stop = new AbortController(), viewed = -Infinity;
  let pending: ReturnType<typeof setTimeout> | null = null;

  const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const line = (level: "info" | "warning" | "error", text: string) => post({ kind: "line", level, text });

  function onEvent({ topic, payload }: AnyEnvelope): void {
    if (topic === "step.metrics") post({ kind: "metrics", metrics: payload });
    else if (topic === "seed.edge") post({ kind: "edge", edge: payload });
    else if (topic !== "run.started" && topic !== "run.finished") {
      for (const text of eventLines(topic, payload as never)) line("info", text);
    }
  }

  function open(stand: Omit<Stand, "runs">, who: Who, from: LiveRun | null): Promise<LiveRun> {
    const { config, data, policy, command } = stand, twin = who === "twin";
    return openLiveRun({
      gpu: gpu!,
      config: twin ? { ...config, controller: { kind: "off" } } : config,
      ticks: Number(command.setup.ticks),
      data,
      network: command.network,
      policy: twin ? null : policy,
      store: from?.store ?? null,
      viewed: data.dataset.kind === "points" ? 1024 : 128,
      onEvent: twin ? () => {} : onEvent,
    });
  }

  async function openBoth(stand: Omit<Stand, "runs">, from: Stand["runs"] | null): Promise<Stand["runs"]> {
    const grown = await open(stand, "grown", from?.grown ?? null);
    const twin = stand.command.setup.twin === "yes" ? await open(stand, "twin", from?.twin ?? null) : null;
    return { grown, twin };
  }

  async function closeRuns(): Promise<void> {
    if (!stand) return;
    const { grown, twin } = stand.runs;
    await grown.close();
    await twin?.close();
  }

  async function start(command: StartCommand): Promise<void> {
    post({ kind: "state", state: "starting" });
    await closeRuns();
    stand = null;
    gpu ??= await openGpu();
    const images: Dataset | null = await loadImages(command.setup, command.images, load);
    const config = configOf(command.setup, images ? images.train.count + images.test.count : 0);
    const data = await shareOut(config, images);
    const policy = config.controller.kind === "gnn"
      ? await openPolicy(await load("policy.safetensors"), "policy.safetensors")
      : null;
    const made = { command, config, data, policy, gallery: createGallery(data, config.seed) };
    stand = { ...made, runs: await openBoth(made, null) };
    const { network, trainer } = stand.runs.grown.session;
    post({
      kind: "began",
      beginning: {
        adapter: gpu.adapter.description || `${gpu.adapter.vendor} ${gpu.adapter.architecture}`.trim(),
        software: gpu.adapter.software,
        classes: data.dataset.classes,
        shape: data.dataset.shape,
        layers: network.layers,
        slots: network.model.slots,
        budgetFlops: trainer.ledger.budget,
        points: stand.gallery.points,
        host: network.host,
      },
    });
    await show(stand);
    post({ kind: "state", state: "paused" });
  }

  function slotView(run: LiveRun, slot: SlotObservation): SlotView {
    const kind = NEXT[slot.stage];
    const action: Action | null = kind ? { kind, slot: slot.slot } : null;
    return { ...slot, next: action && { action, refusal: run.refusal(action) } };
  }

  /** Tells how things stand; boundaries and mistakes only where asked. */
  async function show({ runs: { grown, twin }, gallery }: Stand, views = true): Promise<void> {
    const { trainer, network } = grown.session, { progress, ledger } = trainer;
    const scores: Partial<Record<Who, Scored>> = {};
    if (views) {
      viewed = performance.now();
      for (const [who, run] of [["grown", grown], ["twin", twin]] as const) {
        if (!run) continue;
        const { loss, accuracy, probabilities } = await gallery.score(run);
        scores[who] = { loss, accuracy };
        const map = await gallery.map(run);
        if (map) post({ kind: "boundary", who, map });
        else if (who === "grown") {
          post({ kind: "mistakes", of: gallery.examples.count, ...gallery.mistakes(probabilities) });
        }
      }
    }
    const snapshot: Snapshot = {
      tick: progress.tick,
      step: progress.step,
      progress: ledger.progress,
      flops: ledger.total,
      controlLoss: progress.controlHistory.at(-1) ?? null,
      grown: network.sizeWith(trainer.topology),
      slots: trainer.parts.lifecycle.observe().map((slot) => slotView(grown, slot)),
      legal: grown.legal(),
      asked: grown.asked,
      validation: scores.grown ?? null,
      twin: twin && {
        flops: twin.session.trainer.ledger.total,
        controlLoss: twin.session.trainer.progress.controlHistory.at(-1) ?? null,
        validation: scores.twin ?? null,
      },
      liveBytes: gpu!.allocator.liveBytes,
    };
    post({ kind: "snapshot", snapshot });
  }

  async function tick(): Promise<void> {
    if (!stand) return;
    // A pause may have come between.
    if (ticks === 0) return post({ kind: "state", state: "paused" });
    const began = performance.now(), { grown, twin } = stand.runs;
    const { signal } = stop;
    const outcome = await grown.tick(signal);
    // The twin gets as many FLOPs, not as many steps.
    if (twin) {
      const spent = (run: LiveRun) => run.session.trainer.ledger.total;
      while (spent(twin) < spent(grown) && !signal.aborted) {
        if (await twin.tick(signal) === "completed") break;
      }
    }
    if (outcome === "ticked" && ticks > 0) ticks--;
    if (outcome === "completed") ticks = 0;
    await show(stand, ticks === 0 || performance.now() - viewed >= VIEW_MS);
    if (ticks > 0) {
      const wait = Math.max(0, msPerTick - (performance.now() - began));
      pending = setTimeout(() => {
        pending = null;
        enqueue(tick);
      }, wait);
    } else post({ kind: "state", state: outcome === "completed" ? "finished" : "paused" });
  }

  /** A device in place of the one that was lost, and the runs on it from their newest checkpoints. */
  async function recover(reason: string): Promise<void> {
    line("warning", `the GPU device was lost (${reason}); opening another`);
    gpu?.destroy();
    const earlier = stand;
    stand = null;
    for (let tries = 1;; tries++) {
      try {
        gpu = await openGpu();
        break;
      } catch (error) {
        if (tries === TRIES) throw error;
        await rest(PAUSE_MS);
      }
    }
    if (!earlier) return;
    stand = { ...earlier, runs: await openBoth(earlier, earlier.runs) };
    line("info", `training goes on from step ${stand.runs.grown.session.trainer.progress.step}`);
    await show(stand);
  }

  /** Does one job after those before it; where the device is lost meanwhile, it is done again on another. */
  function enqueue(job: () => Promise<void>): void {
    work = work.then(async () => {
      try {
        await job();
      } catch (error) {
        const reason = await gpu?.lossReason() ?? null;
        if (reason === null) throw error;
        await recover(reason);
        await job();
      }
    }).catch((error) => {
      ticks = 0;
      const text = error instanceof Error ? error.message : String(error);
      post({ kind: "failed", text, noGpu: gpu === null && error instanceof GpuError });
    });
  }

  function halt(): void {
    ticks = 0;
    stop.abort();
    stop = new AbortController();
    if (pending === null) return;
    clearTimeout(pending);
    pending = null;
  }

  const handlers: { [K in Command["kind"]]: (command: Extract<Command, { kind: K }>) => void } = {
    start(command) {
      halt();
      enqueue(() => start(command));
    },
    train(command) {
      const idle = ticks === 0;
      ticks = command.ticks;
      if (!idle) return;
      enqueue(async () => {
        post({ kind: "state", state: "training" });
        await tick();
      });
    },
    pause() {
      const between = pending !== null;
      halt();
      if (between) enqueue(() => Promise.resolve(post({ kind: "state", state: "paused" })));
    },
    pace(command) {
      msPerTick = command.msPerTick;
    },
    ask({ action }) {
      enqueue(async () => {
        if (!stand) return;
        stand.runs.grown.ask(action);
        await show(stand, false);
      });
    },
    export() {
      enqueue(async () => {
        if (!stand) return;
        const bytes = await stand.runs.grown.exported().catch((error) => {
          if (!(error instanceof UserError) || error instanceof GpuError) throw error;
          line("warning", error.message);
          return null;
        });
        if (bytes === null) return;
        const { step } = stand.runs.grown.session.trainer.progress;
        post({ kind: "exported", name: `esper-${stand.command.setup.data}-step-${step}.safetensors`, bytes });
      });
    },
    classify({ pixels }) {
      enqueue(async () => {
        if (!stand) return;
        const { grown } = stand.runs;
        const probabilities = await grown.onlooker.probabilities(normalised(pixels, 1, grown.session.input));
        post({ kind: "answer", probabilities });
      });
    },
  };

  return (command) => (handlers[command.kind] as (command: Command) => void)(command);
}
