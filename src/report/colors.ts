/** Colours of charts, each on light and on dark paper: told apart by the colour-blind, too (after Okabe and Ito). */
import type { Stage } from "../contracts/control.ts";

/** Of lines, in their order; each has a dash pattern of its own besides. */
const SERIES: readonly (readonly [light: string, dark: string])[] = [
  ["#0072b2", "#56b4e9"],
  ["#c44e00", "#ff9a52"],
  ["#00795a", "#33d6a6"],
  ["#a0457e", "#ee9dcb"],
  ["#6b5b00", "#f0e442"],
  ["#4a4a4a", "#c9c9c9"],
];

const STAGES: Readonly<Record<Stage, readonly [light: string, dark: string]>> = {
  DORMANT: ["#e6e8eb", "#343a40"],
  GERMINATED: ["#a5d8ff", "#1c4f7c"],
  TRAINING: ["#4da3d9", "#1f6ea6"],
  BLENDING: ["#b197fc", "#6a4be0"],
  HOLDING: ["#f4b95a", "#8f5a06"],
  FOSSILIZED: ["#3fae7d", "#1a784f"],
  PRUNED: ["#e8692f", "#a8440f"],
  EMBARGOED: ["#f2a38b", "#8c3a22"],
  RESETTING: ["#f8d3c6", "#5d3226"],
};

const PAPER: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ["#ffffff", "#16181c"],
  card: ["#f6f7f9", "#1f2228"],
  ink: ["#1b1f24", "#e8eaed"],
  quiet: ["#57606a", "#a3abb5"],
  rule: ["#d5dae0", "#3a4048"],
};

/** The colour of the k-th line, as CSS; light where a picture stands alone. */
export function seriesColor(k: number): string {
  const at = k % SERIES.length;
  return `var(--series-${at}, ${SERIES[at][0]})`;
}

/** The dash pattern of the k-th line, as SVG. */
export function seriesDash(k: number): string {
  return ["none", "6 3", "2 3", "8 3 2 3", "12 4", "1 2"][k % 6];
}

export function stageColor(stage: Stage): string {
  return `var(--stage-${stage.toLowerCase()}, ${STAGES[stage][0]})`;
}

/** Of what is neither data nor background. */
export function paperColor(name: "paper" | "card" | "ink" | "quiet" | "rule"): string {
  return `var(--${name}, ${PAPER[name][0]})`;
}

/** Declarations of all of them: the light ones for paper and light screens, the dark ones for dark screens. */
export function colorVariables(theme: "light" | "dark"): string {
  const at = theme === "light" ? 0 : 1;
  return [
    ...Object.entries(PAPER).map(([name, pair]) => `--${name}:${pair[at]}`),
    ...SERIES.map((pair, k) => `--series-${k}:${pair[at]}`),
    ...Object.entries(STAGES).map(([stage, pair]) => `--stage-${stage.toLowerCase()}:${pair[at]}`),
  ].join(";");
}
