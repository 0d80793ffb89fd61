// A map that forgets what was not used for longest.

export class Recent {
  #entries = new Map();
  #most;

  constructor(most) {
    this.#most = most;
  }

  get(key) {
    const value = this.#entries.get(key);
    if (value !== undefined) this.#keep(key, value);
    return value;
  }

  set(key, value) {
    this.#keep(key, value);
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value);
  }

  delete(key) {
    this.#entries.delete(key);
  }

  #keep(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}
