/** First in, first out, in constant time at both ends; a ring that grows as it must. */
export class Queue<T> {
  #ring: (T | undefined)[] = new Array(16);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    const size = this.#ring.length;
    if (this.#length === size) {
      this.#ring = [
        ...this.#ring.slice(this.#first),
        ...this.#ring.slice(0, this.#first),
        ...new Array(size),
      ];
      this.#first = 0;
    }
    this.#ring[(this.#first + this.#length++) & (this.#ring.length - 1)] = item;
  }

  /** The oldest item, taken out; undefined where there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** All items, oldest first; they stay. */
  items(): T[] {
    return Array.from(
      { length: this.#length },
      (_, i) => this.#ring[(this.#first + i) & (this.#ring.length - 1)] as T,
    );
  }

  /** Takes everything out, oldest first. */
  clear(): T[] {
    const items = this.items();
    this.#ring = new Array(16);
    this.#first = this.#length = 0;
    return items;
  }
}
