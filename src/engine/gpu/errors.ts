import { UserError } from "../../util/errors.ts";

/** A GPU that cannot be had or was lost, or a kernel that it refuses; the message says the cure. */
export class GpuError extends UserError {}
