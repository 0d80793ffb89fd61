// The state of the page: one value that listeners hear of.

export class Store {
  #listeners = [];

  constructor(state) {
    this.state = state;
  }

  /** Call `listener(state, changed)` after each change, `changed` being the set of the keys that changed. */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  set(changes) {
    const changed = new Set(Object.keys(changes).filter((key) => changes[key] !== this.state[key]));
    if (changed.size === 0) return;
    this.state = { ...this.state, ...changes };
    for (const listener of this.#listeners) listener(this.state, changed);
  }
}
