/** Pictures on 2D canvases: decision boundaries, and examples that were taken for something else. */
import { formatPercent } from "../report/format.ts";
import { html, setAll } from "./dom.ts";
import { colorOf } from "./palette.ts";
import type { Beginning, Map2d, Mistake, Scored } from "./protocol.ts";

const SIDE = 280;

/** A square with a map of classes and the data's points over it. */
export interface Boundary {
  readonly figure: HTMLElement;
  draw(map: Map2d): void;
  caption(score: Scored | null): void;
}

/** A picture of what a network says to every point of a square. */
export function createBoundary(name: string, { points, classes }: Beginning): Boundary {
  const canvas = html("canvas", {
    width: 2 * SIDE,
    height: 2 * SIDE,
    role: "img",
    "aria-label": `${name}: decision boundary`,
  });
  const caption = html("figcaption", {}, name);
  const pen = canvas.getContext("2d")!;
  let last: Map2d | null = null;

  function draw(map: Map2d): void {
    last = map;
    const image = new ImageData(map.side, map.side);
    for (let k = 0; k < map.classes.length; k++) {
      const [r, g, b] = colorOf(map.classes[k]);
      // Undecided is pale, sure is full.
      const depth = 0.12 +
        0.5 * Math.max(0, map.sure[k] / 255 - 1 / classes.length) / (1 - 1 / classes.length);
      image.data.set([r, g, b, Math.round(255 * depth)], 4 * k);
    }
    const small = new OffscreenCanvas(map.side, map.side);
    small.getContext("2d")!.putImageData(image, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
    const at = (value: number) => (value / map.reach + 1) * canvas.width / 2;
    for (let k = 0; k < points.length; k += 3) {
      pen.beginPath();
      pen.arc(at(points[k]), at(-points[k + 1]), 5, 0, 2 * Math.PI);
      pen.fillStyle = `rgb(${colorOf(points[k + 2]).join(" ")})`;
      pen.fill();
      pen.strokeStyle = "rgb(255 255 255 / 0.75)";
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }

  return {
    figure: html("figure", {}, canvas, caption),
    draw,
    caption(score) {
      const words = score ? `${formatPercent(score.accuracy)} right` : "";
      caption.replaceChildren(name, html("strong", {}, words));
      setAll(canvas, {
        "aria-label": `${name}: map of the ${classes.length} classes over the plane${words && `, ${words}`}${
          last ? "" : ", not drawn yet"
        }`,
      });
    },
  };
}

/** An image of bytes [height, width, 1 or 3] on a canvas. */
function imageOf(pixels: Uint8Array, [height, width, channels]: readonly number[]): HTMLCanvasElement {
  const canvas = html("canvas", { width, height, "aria-hidden": "true" });
  const image = new ImageData(width, height);
  for (let k = 0; k < width * height; k++) {
    const at = (channel: number) => pixels[k * channels + Math.min(channel, channels - 1)];
    image.data.set([at(0), at(1), at(2), 255], 4 * k);
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** Shows the examples that the network is surest of and wrong about. */
export function showMistakes(
  place: HTMLElement,
  { classes, shape }: Beginning,
  mistakes: readonly Mistake[],
  wrong: number,
  of: number,
): void {
  const items = mistakes.map(({ pixels, label, said, sure }) =>
    html(
      "li",
      {},
      imageOf(pixels, shape),
      html("span", {}, `${classes[label]} → `, html("b", {}, classes[said])),
      html("small", {}, formatPercent(sure)),
    )
  );
  place.replaceChildren(
    html(
      "p",
      {},
      `${wrong} of ${of} held-out examples are taken for something else. The surest mistakes, what they are → what the network says:`,
    ),
    html("ul", { class: "mistakes" }, ...items),
  );
}
