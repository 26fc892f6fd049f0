/** What the thread that trains and the one that shows it say to each other. */
import type { SupervisorCommand, SupervisorState } from "../../app/supervisor.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";

export type ToDashboard =
  | { readonly kind: "serve"; readonly port: number; readonly token: string }
  | { readonly kind: "folder"; readonly directory: string }
  | { readonly kind: "event"; readonly event: AnyEnvelope }
  | { readonly kind: "state"; readonly state: SupervisorState }
  | { readonly kind: "close" };

export type FromDashboard =
  | { readonly kind: "serving"; readonly port: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "command"; readonly asked: SupervisorCommand }
  | { readonly kind: "closed" };
