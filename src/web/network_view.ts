/** The network as a picture: the host's layers on a line, each slot a pod above it. */
import type { Stage } from "../contracts/control.ts";
import { formatCount } from "../report/format.ts";
import { html, say, setAll, svg } from "./dom.ts";
import type { Beginning, Snapshot } from "./protocol.ts";
import { STAGE_WORDS } from "./words.ts";

const BOX = { width: 96, height: 54 }, SPAN = 190, GAP = 40, LINE = 150, POD = { y: 62, radius: 26 };
const CIRCUMFERENCE = 2 * Math.PI * POD.radius;

/** What stands in the pod; told apart by shape, not by colour alone. */
const MARKS: Readonly<Record<Stage, string>> = {
  DORMANT: "",
  GERMINATED: "•",
  TRAINING: "∿",
  BLENDING: "α",
  HOLDING: "?",
  FOSSILIZED: "✓",
  PRUNED: "✕",
  EMBARGOED: "–",
  RESETTING: "–",
};

/** `8 units`, or `7×7×4`. */
const sizeWords = (shape: readonly number[]) => shape.length === 1 ? `${shape[0]} units` : shape.join("×");

function layerBox(x: number, name: string, size: string, params: number | null): SVGGElement {
  const middle = x + BOX.width / 2;
  const text = (y: number, words: string, kind: string) =>
    svg("text", { x: middle, y: LINE + y, class: kind }, words);
  return svg(
    "g",
    { class: "layer" },
    svg("rect", { x, y: LINE - BOX.height / 2, width: BOX.width, height: BOX.height, rx: 8 }),
    text(-8, name, "name"),
    text(8, size, "size"),
    ...params === null ? [] : [text(21, `${formatCount(params)} weights`, "size")],
  );
}

interface Pod {
  update(slot: Snapshot["slots"][number]): void;
}

function slotPod(root: SVGElement, x: number, name: string): Pod {
  const middle = x + SPAN / 2, { y, radius } = POD, half = 64;
  const group = svg("g", { class: "slot" });
  const up = svg("path", {
    class: "up",
    d: `M${middle - half} ${LINE}C${middle - half} ${y + 20} ${middle - half} ${y} ${middle - radius} ${y}`,
  });
  const down = svg("path", {
    class: "down",
    d: `M${middle + radius} ${y}C${middle + half} ${y} ${middle + half} ${y + 20} ${middle + half} ${
      LINE - 9
    }`,
  });
  const ring = svg("circle", {
    class: "ring",
    cx: middle,
    cy: y,
    r: radius,
    "stroke-dasharray": CIRCUMFERENCE,
    transform: `rotate(-90 ${middle} ${y})`,
  });
  const mark = svg("text", { class: "mark", x: middle, y: y + 6 });
  const seed = svg("text", { class: "seed", x: middle, y: y - radius - 10 });
  const stage = svg("text", { class: "stage", x: middle, y: y + radius + 18 });
  const title = svg("title");
  group.append(
    title,
    up,
    down,
    svg("circle", { class: "join", cx: middle + half, cy: LINE, r: 9 }),
    svg("path", { class: "plus", d: `M${middle + half - 4} ${LINE}h8m-4 -4v8` }),
    svg("circle", { class: "pod", cx: middle, cy: y, r: radius }),
    ring,
    mark,
    seed,
    stage,
  );
  root.append(group);
  return {
    update(slot) {
      const alpha = slot.stage === "FOSSILIZED" ? 1 : slot.alpha;
      setAll(group, { "data-stage": slot.stage });
      group.style.setProperty("--alpha", String(alpha));
      setAll(ring, { "stroke-dashoffset": CIRCUMFERENCE * (1 - alpha) });
      say(mark, MARKS[slot.stage]);
      say(seed, slot.blueprint ?? "");
      const ramp = slot.stage === "BLENDING" ? `, α ${slot.alpha.toFixed(2)}` : "";
      say(stage, `${STAGE_WORDS[slot.stage]}${ramp}`);
      say(title, `Slot ${name}: ${slot.blueprint ?? "no seed"}, ${STAGE_WORDS[slot.stage]}${ramp}`);
    },
  };
}

/** Draws the network of a run into `place`; returns what brings it up to date. */
export function drawNetwork(
  place: HTMLElement,
  { layers, slots, shape, classes }: Beginning,
): (now: Snapshot) => void {
  const body = svg("g"), wires = svg("path", { class: "wire" });
  body.append(wires);
  const pods = new Map<string, Pod>();
  let x = 12, wire = "";
  const add = (box: SVGGElement) => {
    body.append(box);
    x += BOX.width;
  };
  const join = (length: number) => {
    wire += `M${x} ${LINE}h${length}`;
    x += length;
  };
  add(layerBox(x, "input", shape.length === 1 ? "x, y" : sizeWords(shape), null));
  for (const { name, shape, params } of layers) {
    join(GAP);
    add(layerBox(x, name, sizeWords(shape), params));
    if (!slots.includes(name)) continue;
    pods.set(name, slotPod(body, x, name));
    join(SPAN);
    x -= GAP;
  }
  join(GAP);
  add(layerBox(x, "output", `${classes.length} classes`, null));
  setAll(wires, { d: wire });
  const width = x + 12, height = LINE + BOX.height / 2 + 12;
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    style: `min-width:${width * 0.72}px`,
  }, body);
  const summary = svg("title");
  picture.prepend(summary);
  place.replaceChildren(picture, html("p", { class: "key" }));
  const key = place.querySelector("p")!;
  return ({ slots }) => {
    for (const slot of slots) pods.get(slot.slot)?.update(slot);
    const words = slots.map((slot) =>
      `${slot.slot} ${
        slot.blueprint ? `holds ${slot.blueprint}, which ${STAGE_WORDS[slot.stage]}` : STAGE_WORDS[slot.stage]
      }`
    );
    say(summary, `${layers.length} layers and ${slots.length} slots: ${words.join("; ")}`);
    key.hidden = slots.some(({ blueprint }) => blueprint !== null);
    say(key, "Dashed circles are slots: nothing has been sown in them yet.");
  };
}
