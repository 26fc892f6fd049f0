import type { Gpu } from "../engine/gpu/device.ts";
import type { ParameterStore } from "../engine/optim/parameter_store.ts";
import { StoreSnapshot } from "../engine/optim/store_snapshot.ts";
import type { SavedState, TrainerState } from "./state.ts";

/** The state that a rollback returns to; its parameters and moments stay on the device. */
export class Trust {
  readonly #store: ParameterStore;
  readonly #snapshot: StoreSnapshot;
  #state!: TrainerState;

  constructor(gpu: Gpu, store: ParameterStore) {
    this.#store = store;
    this.#snapshot = new StoreSnapshot(gpu, store);
  }

  /** Trusts what the store holds, and the state that belongs to it. */
  bless(state: TrainerState): void {
    this.#snapshot.take();
    this.#state = state;
  }

  /** Puts the trusted numbers back into the store; returns a copy of the state that belongs to them. */
  revert(): TrainerState {
    this.#snapshot.revert();
    return structuredClone(this.#state);
  }

  async read(): Promise<SavedState> {
    return { state: this.#state, ...await this.#snapshot.read() };
  }

  /** Trusts a state that was read. The store holds its numbers afterwards. */
  restore({ state, layout, numbers }: SavedState): void {
    this.#store.restore(layout, numbers);
    this.bless(state);
  }

  destroy(): void {
    this.#snapshot.destroy();
  }
}
