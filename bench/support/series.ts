/** One curve over time. */
export interface Series {
  readonly title: string;
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 720, HEIGHT = 110, LEFT = 60, TOP = 26;

const short = (value: number) =>
  value >= 10_000 ? `${(value / 1000).toFixed(0)}k` : `${+value.toPrecision(3)}`;

/** Curves one below the other over one axis of time, as SVG. */
export function drawSeries(all: readonly Series[], axis: string): string {
  const end = Math.max(...all.flatMap(({ points }) => points.map(([x]) => x)));
  const panels = all.map(({ title, points }, k) => {
    const top = k * (HEIGHT + TOP + 10) + TOP, most = Math.max(1e-9, ...points.map(([, y]) => y));
    const x = (value: number) => (LEFT + (WIDTH - LEFT - 10) * value / end).toFixed(1);
    const y = (value: number) => (top + HEIGHT * (1 - value / most)).toFixed(1);
    const line = points.map(([a, b]) => `${x(a)},${y(b)}`).join(" ");
    return `<text x="${LEFT}" y="${top - 8}" font-weight="bold">${title}</text>` +
      `<path d="M${LEFT} ${top}V${top + HEIGHT}H${WIDTH - 10}" fill="none" stroke="#888"/>` +
      `<text x="${LEFT - 6}" y="${top + 8}" text-anchor="end">${short(most)}</text>` +
      `<text x="${LEFT - 6}" y="${top + HEIGHT}" text-anchor="end">0</text>` +
      `<polyline points="${line}" fill="none" stroke="#0a6" stroke-width="1.5"/>`;
  });
  const height = all.length * (HEIGHT + TOP + 10) + 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">` +
    `<rect width="100%" height="100%" fill="#fff"/>${panels.join("")}` +
    `<text x="${LEFT}" y="${height - 8}">0</text><text x="${WIDTH - 10}" y="${
      height - 8
    }" text-anchor="end">${short(end)} ${axis}</text></svg>\n`;
}
