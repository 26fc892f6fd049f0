/** Shows a run: progress line redrawn in place, plain lines when piped, JSON lines, or only what matters. */
import type { DownloadProgress, RunResult } from "../app/options.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import { finiteOrText } from "../util/json.ts";
import { downloadLine } from "./download_line.ts";
import { eventLines } from "./event_lines.ts";
import { newProgress, type Progress, progressLine, updateProgress } from "./progress.ts";
import { summaryLines } from "./summary.ts";

/** `line` redraws one line in place, `plain` prints one every few seconds, `quiet` prints warnings and the end. */
export type DisplayMode = "line" | "plain" | "json" | "quiet";

export interface Display {
  event(event: AnyEnvelope): void;
  /** A piece of the data set arrived. */
  download(progress: DownloadProgress): void;
  finish(result: RunResult): void;
  /** Leaves the terminal on a fresh line; for use when a run fails. */
  close(): void;
}

export interface Screen {
  write(text: string): void;
  /** Width in characters; asked before every redraw. */
  columns(): number;
}

const CLEAR = "\r\x1b[2K";
const REDRAW_MS = 100;
const PLAIN_MS = 5000;

function printed(event: AnyEnvelope): string[] {
  return eventLines(event.topic, event.payload as never);
}

function plainDisplay(screen: Screen): Display {
  const progress = newProgress();
  let shown = -Infinity, downloaded = -Infinity;
  const print = (lines: readonly string[]) => lines.forEach((line) => screen.write(`${line}\n`));
  return {
    event(event) {
      updateProgress(progress, event);
      print(printed(event));
      if (event.topic !== "step.metrics" || event.time - shown < PLAIN_MS) return;
      shown = event.time;
      print([progressLine(progress)]);
    },
    download(progress) {
      const now = performance.now();
      if (now - downloaded < PLAIN_MS && progress.done !== progress.total) return;
      downloaded = now;
      print([downloadLine(progress)]);
    },
    finish: (result) => print(summaryLines(result)),
    close: () => {},
  };
}

/** Cuts at the width of the screen, so that a redraw never wraps. */
function fit(line: string, columns: number): string {
  const characters = [...line];
  return characters.length < columns ? line : `${characters.slice(0, Math.max(0, columns - 2)).join("")}…`;
}

function lineDisplay(screen: Screen): Display {
  const progress: Progress = newProgress();
  let drawn = -Infinity, downloaded = -Infinity;
  let line = "";
  const clear = () => line === "" ? "" : CLEAR;
  const finishLine = () => {
    screen.write(line === "" ? "" : `${CLEAR}${progressLine(progress)}\n`);
    line = "";
  };
  return {
    event(event) {
      updateProgress(progress, event);
      const lines = printed(event);
      if (lines.length === 0 && event.time - drawn < REDRAW_MS) return;
      const above = lines.map((text) => `${text}\n`).join("");
      const cleared = clear();
      line = fit(progressLine(progress), screen.columns());
      drawn = event.time;
      screen.write(`${cleared}${above}${line}`);
    },
    download(progress) {
      const now = performance.now(), whole = progress.done === progress.total;
      if (now - downloaded < REDRAW_MS && !whole) return;
      downloaded = now;
      screen.write(`${CLEAR}${fit(downloadLine(progress), screen.columns())}${whole ? "\n" : ""}`);
    },
    finish(result) {
      finishLine();
      summaryLines(result).forEach((text) => screen.write(`${text}\n`));
    },
    close: finishLine,
  };
}

function jsonDisplay(screen: Screen): Display {
  const print = (value: unknown) => screen.write(`${JSON.stringify(value, finiteOrText)}\n`);
  return {
    event: print,
    download: () => {},
    finish: (result) => print({ topic: "result", payload: result }),
    close: () => {},
  };
}

function quietDisplay(screen: Screen): Display {
  return {
    event(event) {
      if (event.topic === "notice" && event.payload.level !== "info") {
        printed(event).forEach((line) => screen.write(`${line}\n`));
      }
    },
    download: () => {},
    finish: (result) => summaryLines(result).forEach((line) => screen.write(`${line}\n`)),
    close: () => {},
  };
}

const displays: Readonly<Record<DisplayMode, (screen: Screen) => Display>> = {
  line: lineDisplay,
  plain: plainDisplay,
  json: jsonDisplay,
  quiet: quietDisplay,
};

/** A display of the given mode on `screen`. */
export function createDisplay(mode: DisplayMode, screen: Screen): Display {
  return displays[mode](screen);
}
