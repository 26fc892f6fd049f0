/** What becomes of a run whose device is lost: another device, and on from the newest checkpoint. */
import type { Gpu } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import { canonicalJson } from "../util/json.ts";

/** Devices that a run may lose before it is given up. */
export const MAX_LOSSES = 3;
/** How often, and how long after one another, a new device is asked for: a driver takes a moment to come back. */
const TRIES = 4, PAUSE_MS = 500;

/** Training ended because its device was lost. */
export class DeviceLoss extends GpuError {
  readonly cure: string;

  /** `reason` is in the words of the implementation; `folder` is where the run can be gone on with. */
  constructor(readonly reason: string, readonly step: number, folder: string | null, cause: unknown) {
    const cure = folder === null ? "try again" : `go on with --resume ${folder}`;
    super(`training: want a device that works, got one that was lost at step ${step} (${reason}); ${cure}`, {
      cause,
    });
    this.cure = cure;
  }
}

/**
 * Opens a device like the one that was lost, on which the run goes on to the same bits.
 *
 * @throws {GpuError} where none is to be had, or only another adapter's.
 */
export async function openAgain(open: () => Promise<Gpu>, { adapter }: Gpu, loss: DeviceLoss): Promise<Gpu> {
  for (let tries = 1;; tries++) {
    let got: string;
    try {
      const gpu = await open();
      if (canonicalJson(gpu.adapter) === canonicalJson(adapter)) return gpu;
      gpu.destroy();
      got = `${gpu.adapter.description} (${gpu.adapter.backend}), which may round otherwise`;
    } catch (error) {
      got = (error as Error).message;
    }
    if (tries === TRIES) {
      throw new GpuError(
        `training: want ${adapter.description} (${adapter.backend}) again, as its device was lost at step ` +
          `${loss.step} (${loss.reason}), got: ${got}; ${loss.cure}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
