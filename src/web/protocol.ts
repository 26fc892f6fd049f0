/** What the page and the worker that trains say to each other. */
import type { Action, SlotObservation } from "../contracts/control.ts";
import type { Edge, Veto } from "../contracts/lifecycle.ts";
import type { Payloads } from "../contracts/events.ts";
import type { Setup } from "./setup.ts";

/** Side of images of one's own. */
export const IMAGE_SIDE = 16;

/** Images of one's own: RGB bytes in labelled buckets. */
export interface OwnImages {
  readonly classes: readonly string[];
  /** u8 [count, IMAGE_SIDE, IMAGE_SIDE, 3]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** Class of each. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

export type Command =
  | {
    readonly kind: "start";
    readonly setup: Setup;
    /** Only for data of one's own. */
    readonly images: OwnImages | null;
    /** A network file to begin with, instead of a fresh host. */
    readonly network: Uint8Array<ArrayBuffer> | null;
  }
  | { readonly kind: "train"; readonly ticks: number }
  | { readonly kind: "pause" }
  | { readonly kind: "pace"; readonly msPerTick: number }
  | { readonly kind: "ask"; readonly action: Action | null }
  | { readonly kind: "export" }
  /** Brightness 0 to 1 of the image's pixels, as the data has them. */
  | { readonly kind: "classify"; readonly pixels: Float32Array<ArrayBuffer> };

/** What a run begins with. */
export interface Beginning {
  readonly adapter: string;
  readonly software: boolean;
  readonly classes: readonly string[];
  /** One example: [H, W, C] or [2]. */
  readonly shape: readonly number[];
  readonly layers: readonly { name: string; shape: readonly number[]; params: number }[];
  readonly slots: readonly string[];
  readonly budgetFlops: number;
  /** Some points of the data, in turn x, y, class; empty for images. */
  readonly points: Float32Array<ArrayBuffer>;
  /** Parameters, and FLOPs of one example's forward pass, of the host. */
  readonly host: NetworkSize;
}

export interface NetworkSize {
  readonly params: number;
  readonly flops: number;
}

/** A slot at the end of a tick. */
export interface SlotView extends SlotObservation {
  /** The action that leads on from here, and what stands against it; null where nothing is to be asked. */
  readonly next: { readonly action: Action; readonly refusal: Veto | null } | null;
}

/** Loss and accuracy on examples that were not trained on. */
export interface Scored {
  readonly loss: number;
  readonly accuracy: number;
}

/** The run at the end of a tick. */
export interface Snapshot {
  readonly tick: number;
  readonly step: number;
  /** FLOPs spent over FLOPs budgeted. */
  readonly progress: number;
  readonly flops: number;
  readonly controlLoss: number | null;
  readonly grown: NetworkSize;
  readonly slots: readonly SlotView[];
  readonly legal: readonly Action[];
  readonly asked: Action | null;
  readonly validation: Scored | null;
  /** The twin, at as many FLOPs. */
  readonly twin: {
    readonly flops: number;
    readonly controlLoss: number | null;
    readonly validation: Scored | null;
  } | null;
  /** Bytes on the device. */
  readonly liveBytes: number;
}

/** Classes and how sure, from 0 to 255, over a square of side² points from (−reach, reach) to (reach, −reach), row by row. */
export interface Map2d {
  readonly side: number;
  readonly reach: number;
  readonly classes: Uint8Array<ArrayBuffer>;
  readonly sure: Uint8Array<ArrayBuffer>;
}

/** An example that was taken for another class. */
export interface Mistake {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly label: number;
  readonly said: number;
  readonly sure: number;
}

export type Message =
  | { readonly kind: "began"; readonly beginning: Beginning }
  | { readonly kind: "state"; readonly state: "starting" | "paused" | "training" | "finished" }
  | { readonly kind: "metrics"; readonly metrics: Payloads["step.metrics"] }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "edge"; readonly edge: Edge }
  | { readonly kind: "line"; readonly level: "info" | "warning" | "error"; readonly text: string }
  | { readonly kind: "boundary"; readonly who: "grown" | "twin"; readonly map: Map2d }
  | {
    readonly kind: "mistakes";
    readonly mistakes: readonly Mistake[];
    readonly wrong: number;
    readonly of: number;
  }
  | { readonly kind: "answer"; readonly probabilities: Float32Array<ArrayBuffer> }
  | { readonly kind: "exported"; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The run cannot go on; `noGpu` where there is no WebGPU to run on. */
  | { readonly kind: "failed"; readonly text: string; readonly noGpu: boolean };
