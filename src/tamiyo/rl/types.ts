/** What an environment answers to an action. */
export interface Step<O> {
  readonly observation: O;
  readonly reward: number;
  /** The episode is over by its own rules. */
  readonly terminated: boolean;
  /** The episode was cut off: what would have followed still has a value. */
  readonly truncated: boolean;
}

/** Something to decide in, episode by episode. An action is an index. */
export interface Environment<O> {
  /** Begins an episode; the same seed gives the same one. */
  reset(seed: number): O | Promise<O>;
  step(action: number): Step<O> | Promise<Step<O>>;
}
