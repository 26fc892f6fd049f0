/** What the threads that run arms and the one that asks them say to each other. */
import type { ArmReply, ArmRequest } from "../prove/run_arm.ts";

export type ArmOrder = { readonly run: ArmRequest } | { readonly stop: true };

/** How an error travels; `exitCode` of one that a person can cure. */
export interface FarError {
  readonly message: string;
  readonly exitCode: number | null;
}

export type ArmAnswer = { readonly reply: ArmReply } | { readonly error: FarError };
