/** The page: shows what the worker tells, and tells it what the visitor wants. */
import type { Action } from "../contracts/control.ts";
import { formatCount, formatFlops, formatPercent } from "../report/format.ts";
import { type Curves, drawCurves } from "./curves.ts";
import { byId, html, say } from "./dom.ts";
import { makePad } from "./draw.ts";
import { download, makeFiles } from "./files.ts";
import { makeForm } from "./form.ts";
import { drawNetwork } from "./network_view.ts";
import { makeBuckets } from "./own_images.ts";
import { type Boundary, createBoundary, showMistakes } from "./pictures.ts";
import type { Beginning, Command, Message, OwnImages, Snapshot } from "./protocol.ts";
import { formatSetup, parseSetup, type Setup } from "./setup.ts";
import { showSlots } from "./slots.ts";
import { cureOf } from "./trouble.ts";
import { wordsOfEdge } from "./words.ts";

/** Most lines of the log. */
const LINES = 200;

/** What is drawn for one run. */
interface Stage {
  readonly beginning: Beginning;
  readonly curves: Curves;
  readonly boundaries: Readonly<Record<"grown" | "twin", Boundary>>;
  readonly network: (now: Snapshot) => void;
  readonly slots: (now: Snapshot) => void;
  /** Shows what a drawing was taken for; null where there is nothing to draw. */
  readonly answer: ((probabilities: Float32Array) => void) | null;
}

const train = byId<HTMLButtonElement>("train"), tick = byId<HTMLButtonElement>("tick");
const reset = byId<HTMLButtonElement>("reset"), pace = byId<HTMLSelectElement>("pace");
const status = byId("status"), progress = byId<HTMLProgressElement>("progress"), log = byId("log");

type State = Extract<Message, { kind: "state" }>["state"] | "waiting";

let setup: Setup, stage: Stage | null = null, state: State = "starting";
let images: OwnImages | null = null;

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const send = (command: Command) => worker.postMessage(command);

/** Begins again, with a network from a file or a fresh one. */
function start(network: Uint8Array<ArrayBuffer> | null = null): void {
  log.replaceChildren();
  byId("trouble").hidden = true;
  byId("images").hidden = setup.data !== "images";
  if (setup.data === "images" && images === null) {
    note("Give your images under Settings, in two buckets or more; training begins with them.");
    return enter("waiting");
  }
  send({ kind: "start", setup, images, network });
}

function note(text: string, level: "info" | "warning" | "error" = "info"): void {
  log.prepend(html("li", { class: level }, text));
  while (log.childElementCount > LINES) log.lastElementChild!.remove();
}

function began(beginning: Beginning): void {
  const points = beginning.shape.length === 1, twin = setup.twin === "yes";
  const boundaries = {
    grown: createBoundary("Grown", beginning),
    twin: createBoundary("The host alone", beginning),
  };
  byId("boundaries").replaceChildren(
    ...points ? [boundaries.grown.figure, ...twin ? [boundaries.twin.figure] : []] : [],
  );
  for (const id of ["mistakes", "draw"]) byId(id).replaceChildren();
  stage = {
    beginning,
    boundaries,
    curves: drawCurves(byId("curves"), beginning),
    network: drawNetwork(byId("graph"), beginning),
    answer: setup.data === "digits"
      ? makePad(byId("draw"), beginning, (pixels) => send({ kind: "classify", pixels }))
      : null,
    slots: showSlots(byId("slots"), beginning, (action: Action | null) => send({ kind: "ask", action })),
  };
  note(
    `training on ${beginning.adapter || "WebGPU"}${
      beginning.software ? ", which is a CPU: slower than a GPU" : ""
    }`,
  );
}

/** A number with its name, and that of the host alone beside it. */
function figure(name: string, value: string, beside: string): HTMLElement {
  return html(
    "div",
    { class: "figure" },
    html("dt", {}, name),
    html("dd", {}, value),
    html("dd", { class: "beside" }, beside),
  );
}

function show(now: Snapshot): void {
  if (!stage) return;
  const { beginning: { host }, boundaries } = stage;
  stage.network(now);
  stage.slots(now);
  stage.curves.snapshot(now);
  progress.value = now.progress;
  if (!now.validation) return;
  boundaries.grown.caption(now.validation);
  boundaries.twin.caption(now.twin?.validation ?? null);
  const alone = now.twin?.validation;
  byId("figures").replaceChildren(
    html(
      "dl",
      {},
      figure(
        "Right on held-out data",
        formatPercent(now.validation.accuracy),
        alone ? `host alone ${formatPercent(alone.accuracy)}` : "",
      ),
      figure("Weights", formatCount(now.grown.params), `host ${formatCount(host.params)}`),
      figure("FLOPs spent", formatFlops(now.flops), `${formatPercent(now.progress)} of the budget`),
      figure("Tick", String(now.tick), `step ${now.step}`),
    ),
  );
}

const STATE_WORDS: Readonly<Record<State, string>> = {
  waiting: "Waiting for your images",
  starting: "Getting ready…",
  paused: "Ready",
  training: "Training",
  finished: "The budget is spent",
};

function enter(next: State): void {
  state = next;
  say(status, STATE_WORDS[state]);
  document.body.dataset.state = state;
  const idle = state === "paused";
  train.disabled = state !== "training" && !idle;
  tick.disabled = !idle;
  reset.disabled = state === "starting" || state === "waiting";
  say(train, state === "training" ? "Pause" : "Train");
}

function failed(text: string, noGpu: boolean): void {
  const place = byId("trouble");
  const [title, ...cures] = noGpu ? cureOf(text) : [text, "Reset begins again with the same settings."];
  place.replaceChildren(html("h2", {}, title), ...cures.map((cure) => html("p", {}, cure)));
  place.hidden = false;
  enter("finished");
  if (noGpu) {
    say(status, "WebGPU is missing");
    reset.disabled = true;
  }
}

const handlers: { [K in Message["kind"]]: (message: Extract<Message, { kind: K }>) => void } = {
  began: ({ beginning }) => began(beginning),
  state: (message) => enter(message.state),
  metrics: ({ metrics }) => stage?.curves.metrics(metrics.flops, metrics.loss),
  snapshot: ({ snapshot }) => show(snapshot),
  edge({ edge }) {
    stage?.curves.edge(edge);
    note(wordsOfEdge(edge));
  },
  line: ({ level, text }) => note(text, level),
  boundary: ({ who, map }) => stage?.boundaries[who].draw(map),
  mistakes: ({ mistakes, wrong, of }) =>
    stage && showMistakes(byId("mistakes"), stage.beginning, mistakes, wrong, of),
  answer: ({ probabilities }) => stage?.answer?.(probabilities),
  exported: ({ name, bytes }) => download(name, bytes),
  failed: ({ text, noGpu }) => failed(text, noGpu),
};

worker.addEventListener(
  "message",
  ({ data }: MessageEvent<Message>) => (handlers[data.kind] as (m: Message) => void)(data),
);
worker.addEventListener("error", ({ message }) => failed(`the worker ended: ${message}`, false));

train.addEventListener(
  "click",
  () => send(state === "training" ? { kind: "pause" } : { kind: "train", ticks: Infinity }),
);
tick.addEventListener("click", () => send({ kind: "train", ticks: 1 }));
reset.addEventListener("click", () => start());
const setPace = () => send({ kind: "pace", msPerTick: Number(pace.value) });
pace.addEventListener("change", setPace);

const KEYS: Readonly<Record<string, HTMLButtonElement>> = { p: train, t: tick, r: reset };
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  KEYS[event.key]?.click();
});

const shown = parseSetup(location.hash);
setup = shown.setup;
const showForm = makeForm(byId<HTMLFormElement>("settings"), setup, (next) => {
  setup = next;
  history.replaceState(null, "", `#${formatSetup(setup)}`);
  start();
});
addEventListener("hashchange", () => {
  const { setup: next, faults } = parseSetup(location.hash);
  setup = next;
  showForm(setup);
  start();
  faults.forEach((fault) => note(fault, "warning"));
});
makeBuckets(byId("images"), (given) => {
  images = given.classes.length < 2 ? null : given;
  start();
});
makeFiles(byId("files"), { exportNetwork: () => send({ kind: "export" }), importNetwork: start });
setPace();
start();
shown.faults.forEach((fault) => note(fault, "warning"));
