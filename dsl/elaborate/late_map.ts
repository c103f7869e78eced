/** What has been done, but is in no table yet: in an editor, the steps of optimizers that are as they were. */
export class Deferred {
  #waiting: (() => void)[] = [];

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(effects: () => void): void {
    this.#waiting.push(effects);
  }

  /** Does all of it, in order. */
  catchUp(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const effects of waiting) effects();
  }
}

/**
 * A table that is made whole when it is asked. A net of a thousand layers has tens of thousands of entries of its optimizer's steps, and most
 * elaborations of an editor ask for none of them.
 */
export class LateMap<K, V> extends Map<K, V> {
  readonly #deferred: Deferred;

  constructor(deferred: Deferred) {
    super();
    this.#deferred = deferred;
  }

  #whole(): void {
    if (this.#deferred.isWaiting) this.#deferred.catchUp();
  }

  override get(key: K): V | undefined {
    this.#whole();
    return super.get(key);
  }

  override has(key: K): boolean {
    this.#whole();
    return super.has(key);
  }

  override set(key: K, value: V): this {
    this.#whole();
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#whole();
    return super.delete(key);
  }

  override get size(): number {
    this.#whole();
    return super.size;
  }

  override keys(): ReturnType<Map<K, V>["keys"]> {
    this.#whole();
    return super.keys();
  }

  override values(): ReturnType<Map<K, V>["values"]> {
    this.#whole();
    return super.values();
  }

  override entries(): ReturnType<Map<K, V>["entries"]> {
    this.#whole();
    return super.entries();
  }

  override [Symbol.iterator](): ReturnType<Map<K, V>["entries"]> {
    return this.entries();
  }

  override forEach(each: (value: V, key: K, map: Map<K, V>) => void): void {
    this.#whole();
    super.forEach(each);
  }

  /** Of a table in which what comes first stays: what is there already needs none of what waits. */
  first(key: K): V | undefined {
    return super.get(key) ?? this.get(key);
  }
}
