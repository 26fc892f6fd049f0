/** One line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 720, HEIGHT = 440;
const LEFT = 70, RIGHT = 230, TOP = 40, BOTTOM = 56;
const COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#7d4f9e", "#8a6d1f", "#4a4a4a"];

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const short = (value: number) => String(Number(value.toPrecision(3)));

/** 1, 2 and 5 times the powers of ten within a range; powers of two for `base` 2. */
function ticks(low: number, high: number, base: 2 | 10): number[] {
  const first = Math.floor(Math.log(low) / Math.log(base)), last = Math.ceil(Math.log(high) / Math.log(base));
  const powers = Array.from({ length: last - first + 1 }, (_, k) => base ** (first + k));
  const all = base === 2 ? powers : powers.flatMap((power) => [power, 2 * power, 5 * power]);
  return all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

/** A plot with logarithmic axes, as SVG. */
export function logPlot(title: string, xTitle: string, yTitle: string, series: readonly Series[]): string {
  const points = series.flatMap((line) => line.points);
  const [x0, x1] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const [y0, y1] = [Math.min(...points.map(({ y }) => y)) / 1.2, Math.max(...points.map(({ y }) => y)) * 1.2];
  const along = (value: number, low: number, high: number) =>
    Math.log(value / low) / Math.log(high / low || 2);
  const px = (x: number) => (LEFT + (WIDTH - LEFT - RIGHT) * along(x, x0, x1)).toFixed(1);
  const py = (y: number) => (HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * along(y, y0, y1)).toFixed(1);
  const vertical = ticks(x0, x1, 2).map((x) =>
    `<line x1="${px(x)}" x2="${px(x)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#e0e0e0"/>` +
    `<text x="${px(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${short(x)}</text>`
  );
  const horizontal = ticks(y0, y1, 10).map((y) =>
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(y)}" y2="${py(y)}" stroke="#e0e0e0"/>` +
    `<text x="${LEFT - 8}" y="${py(y)}" text-anchor="end" dominant-baseline="middle">${short(y)}</text>`
  );
  const lines = series.map(({ name, points }, k) => {
    const colour = COLOURS[k % COLOURS.length], y = TOP + 10 + 22 * k;
    const path = points.map(({ x, y }) => `${px(x)},${py(y)}`).join(" ");
    const dots = points.map(({ x, y }) => `<circle cx="${px(x)}" cy="${py(y)}" r="3.5" fill="${colour}"/>`);
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}` +
      `<line x1="${WIDTH - RIGHT + 16}" x2="${
        WIDTH - RIGHT + 40
      }" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"/>` +
      `<text x="${WIDTH - RIGHT + 46}" y="${y}" dominant-baseline="middle">${escape(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="14" font-weight="bold">${escape(title)}</text>`,
    ...vertical,
    ...horizontal,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${
      escape(xTitle)
    }</text>`,
    `<text transform="translate(18 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escape(yTitle)}</text>`,
    ...lines,
    "</svg>\n",
  ].join("\n");
}
