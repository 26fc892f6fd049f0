/** Oona: the message bus. Subsystems know the interface (`bus.ts`); the app picks the implementation. */
export { createMemoryBus } from "./memory.ts";
export type { Bus, DeadLetter, Delivery, Handler, SubscribeOptions, SubscriptionStats } from "./bus.ts";
