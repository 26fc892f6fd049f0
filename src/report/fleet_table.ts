import type { WorkerCard } from "../contracts/fleet.ts";
import { workerLines } from "./fleet_lines.ts";

/** Rows at most: more workers are counted. */
const ROWS = 20;

/** One table of a fleet's workers at the foot of a terminal, drawn anew as they get on. */
export interface FleetTable {
  workers(cards: readonly WorkerCard[]): void;
  /** Lets `write` print lines above it. */
  above(write: () => void): void;
  /** Takes it away. */
  close(): void;
}

export function createFleetTable(write: (text: string) => void, columns: () => number): FleetTable {
  let shown: readonly string[] = [];
  const clear = () => {
    if (shown.length > 0) write(`\x1b[${shown.length}A\x1b[0J`);
  };
  const draw = (lines: readonly string[]) => {
    shown = lines.map((line) => line.slice(0, columns() - 1));
    shown.forEach((line) => write(`${line}\n`));
  };
  return {
    workers(cards) {
      const busy = cards.toSorted((a, b) => b.doing.length - a.doing.length), left = busy.length - ROWS;
      clear();
      draw([...workerLines(busy.slice(0, ROWS)), ...left > 0 ? [`and ${left} more`] : []]);
    },
    above(print) {
      const lines = shown;
      clear();
      print();
      draw(lines);
    },
    close() {
      clear();
      shown = [];
    },
  };
}
