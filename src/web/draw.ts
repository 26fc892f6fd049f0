/** A pad to draw a digit on, by pointer or by keys, and what the network takes it for. */
import { formatPercent } from "../report/format.ts";
import { html, say, setAll } from "./dom.ts";
import type { Beginning } from "./protocol.ts";

/** Side of the pad, and width of its pen. */
const SIDE = 224, PEN = 17;
/** Step of the pen by a key. */
const STEP = SIDE / 28;
/** Share of an image's side that a digit takes up, as in MNIST. */
const FILLS = 20 / 28;

/** A pad for the run; `ask` is called with what was drawn. Returns what shows the answer. */
export function makePad(
  place: HTMLElement,
  { classes, shape: [side] }: Beginning,
  ask: (pixels: Float32Array<ArrayBuffer>) => void,
): (probabilities: Float32Array) => void {
  const pad = html("canvas", {
    width: SIDE,
    height: SIDE,
    tabindex: 0,
    role: "application",
    "aria-label": "Pad to draw a digit on. Arrow keys move the pen, the space bar puts it down and lifts it.",
  });
  const pen = pad.getContext("2d", { willReadFrequently: true })!;
  const clear = html("button", { type: "button" }, "Clear"), answer = html("p", { role: "status" });
  const bars = html("ol", { class: "bars", "aria-hidden": "true" });
  const meters = classes.map((name) => {
    const bar = html("span", { class: "bar-fill" });
    bars.append(html("li", {}, html("span", {}, name), html("span", { class: "bar-room" }, bar)));
    return bar;
  });
  const told = html("div", {}, answer, bars);
  place.replaceChildren(
    html("h3", {}, "Draw a digit"),
    html("div", { class: "pad" }, html("div", {}, pad, clear), told),
  );
  let at: [number, number] | null = null, down = false, cursor: [number, number] = [SIDE / 2, SIDE / 4];
  let timer: ReturnType<typeof setTimeout> | null = null;

  function wipe(): void {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, SIDE, SIDE);
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = PEN;
    pen.strokeStyle = "white";
    say(answer, "The network says what it takes your drawing for.");
    for (const bar of meters) bar.style.width = "0";
  }

  function line(to: [number, number]): void {
    const [x, y] = at ?? to;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(...to);
    pen.stroke();
    at = to;
    timer ??= setTimeout(() => {
      timer = null;
      const pixels = digitOf(pen, side);
      if (pixels) ask(pixels);
    }, 120);
  }

  const pointOf = (event: PointerEvent): [number, number] => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [(event.clientX - left) * SIDE / width, (event.clientY - top) * SIDE / height];
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    at = null;
    line(pointOf(event));
  });
  pad.addEventListener("pointermove", (event) => event.buttons > 0 && line(pointOf(event)));
  pad.addEventListener("pointerup", () => at = null);
  const MOVES: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, -STEP],
    ArrowDown: [0, STEP],
  };
  pad.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (event.key === " ") {
      down = !down;
      at = null;
    } else cursor = [0, 1].map((k) => Math.min(SIDE, Math.max(0, cursor[k] + move[k]))) as [number, number];
    if (down) line([...cursor]);
  });
  clear.addEventListener("click", wipe);
  wipe();
  return (probabilities) => {
    const best = probabilities.indexOf(Math.max(...probabilities));
    say(answer, `It says ${classes[best]}, sure to ${formatPercent(probabilities[best])}.`);
    for (const [k, bar] of meters.entries()) {
      bar.style.width = `${100 * probabilities[k]}%`;
      setAll(bar, { "data-best": k === best });
    }
  };
}

/** What was drawn as MNIST would have it: scaled into the middle of an image, by its centre of mass. Null for nothing. */
function digitOf(pen: CanvasRenderingContext2D, side: number): Float32Array<ArrayBuffer> | null {
  const { data } = pen.getImageData(0, 0, SIDE, SIDE);
  let left = SIDE, right = -1, top = SIDE, bottom = -1, mass = 0, x = 0, y = 0;
  for (let k = 0; k < SIDE * SIDE; k++) {
    const ink = data[4 * k];
    if (ink === 0) continue;
    const column = k % SIDE, row = Math.floor(k / SIDE);
    left = Math.min(left, column);
    right = Math.max(right, column);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
    mass += ink;
    x += ink * column;
    y += ink * row;
  }
  if (mass === 0) return null;
  const scale = FILLS * side / Math.max(right - left + 1, bottom - top + 1);
  const small = new OffscreenCanvas(side, side), into = small.getContext("2d")!;
  into.imageSmoothingQuality = "high";
  into.fillRect(0, 0, side, side);
  into.drawImage(
    pen.canvas,
    side / 2 - scale * x / mass,
    side / 2 - scale * y / mass,
    scale * SIDE,
    scale * SIDE,
  );
  const pixels = into.getImageData(0, 0, side, side).data;
  return Float32Array.from({ length: side * side }, (_, k) => pixels[4 * k] / 255);
}
