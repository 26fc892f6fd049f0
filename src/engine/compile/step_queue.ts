import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { type BoundDispatch, encodePass } from "../gpu/recorder.ts";
import type { StepBuffer, StepValues } from "./step_buffer.ts";

/** One step to come: dispatches, and the values that they find in the step buffer. */
export interface QueuedStep {
  readonly step: StepBuffer;
  readonly values: StepValues;
  readonly dispatches: readonly BoundDispatch[];
}

/** Room for the values of some dozens of steps. */
const STAGING_BYTES = 65_536;

/**
 * Sends steps to the device, several in one submit: the values of all in one write, then for each step a copy of its
 * values to where its kernels read them, and a pass. What is computed is the same bits as of one submit a step.
 */
export class StepQueue {
  readonly #gpu: Gpu;
  readonly #staging: BufferView;
  readonly #host = new Uint8Array(STAGING_BYTES);

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#staging = gpu.allocator.storage("steps to come", STAGING_BYTES);
  }

  /** Submits the steps in order; as one where there is room for their values. */
  submit(steps: readonly QueuedStep[]): void {
    let first = 0, bytes = 0;
    for (const [k, { step }] of steps.entries()) {
      if (k > first && bytes + step.bytes > STAGING_BYTES) {
        this.#submit(steps.slice(first, k));
        [first, bytes] = [k, 0];
      }
      bytes += step.bytes;
    }
    if (first < steps.length) this.#submit(steps.slice(first));
  }

  destroy(): void {
    this.#gpu.allocator.free(this.#staging);
  }

  #submit(steps: readonly QueuedStep[]): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    if (steps.length === 1) {
      const [{ step, values, dispatches }] = steps;
      step.write(values);
      encodePass(encoder, [dispatches]);
    } else {
      let end = 0;
      for (const { step, values, dispatches } of steps) {
        this.#host.set(step.encode(values), end);
        encoder.copyBufferToBuffer(this.#staging.buffer, end, step.buffer, 0, step.bytes);
        encodePass(encoder, [dispatches]);
        end += step.bytes;
      }
      device.queue.writeBuffer(this.#staging.buffer, 0, this.#host, 0, end);
    }
    device.queue.submit([encoder.finish()]);
  }
}
