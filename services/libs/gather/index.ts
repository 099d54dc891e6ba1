/** Micro-batches: work that arrives at the same time is done together. */

export interface GathererOptions<Item, Result> {
  /** Does the work of the items; result i is item i's. A throw fails every group in it. */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How long the first of a batch waits for others, in ms. */
  readonly gatherMs: number;
  /** The same while groups come together, as those of the batch before did; who comes alone never waits so long. */
  readonly gatherTogetherMs?: number;
  /** A batch takes no further group once it has this many items; a larger group is a batch by itself. */
  readonly itemsMax: number;
  /** Batches that are worked on at once. */
  readonly flushesMax: number;
  /** Items that may wait; what comes on top is refused. */
  readonly waitingMax: number;
}

/** A batch smaller than this part of a full one waits for the one in work. */
const SMALL_PART = 8;

/** Refusal of work for which there is no room now. */
export class OverloadedError extends Error {}

interface Group<Item, Result> {
  readonly items: readonly Item[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers groups of items for a few milliseconds and works on them by one call. While as many batches as allowed are
 * in work, arrivals wait and so make the next batch larger: the busier, the cheaper each item.
 */
export class Gatherer<Item, Result> {
  #waiting: Group<Item, Result>[] = [];
  #waitingItems = 0;
  #flushes = 0;
  #timer: NodeJS.Timeout | undefined;
  #cameTogether = false;
  #idle: (() => void)[] = [];

  constructor(private readonly options: GathererOptions<Item, Result>) {}

  /**
   * Hands in items that stay together in one batch.
   * @returns their results, in their order
   * @throws OverloadedError when too many wait; else what `flush` threw
   */
  submit(items: readonly Item[]): Promise<readonly Result[]> {
    if (items.length === 0) return Promise.resolve([]);
    if (this.#waitingItems + items.length > this.options.waitingMax && this.#waitingItems > 0) {
      return Promise.reject(new OverloadedError(`${this.#waitingItems} items are waiting`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#waitingItems += items.length;
      this.#schedule();
    });
  }

  /** Waits until nothing is waiting or in work. */
  drained(): Promise<void> {
    if (this.#flushes === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#flushes >= this.options.flushesMax || this.#waiting.length === 0) return;
    // A second batch beside one in work pays only when it is not small: each has costs of its own.
    if (this.#flushes > 0 && this.#waitingItems < this.options.itemsMax / SMALL_PART) return;
    if (this.#waitingItems >= this.options.itemsMax) {
      this.#flush();
    } else {
      const { gatherMs, gatherTogetherMs = gatherMs } = this.options;
      this.#timer ??= setTimeout(() => this.#flush(), this.#cameTogether ? gatherTogetherMs : gatherMs);
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#flushes >= this.options.flushesMax || this.#waiting.length === 0) return;
    this.#flushes += 1;
    void this.#work(this.#takeBatch()).finally(() => {
      this.#flushes -= 1;
      this.#schedule();
      if (this.#flushes === 0 && this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
    this.#schedule();
  }

  #takeBatch(): Group<Item, Result>[] {
    let items = 0;
    let groups = 0;
    for (const group of this.#waiting) {
      if (groups > 0 && items + group.items.length > this.options.itemsMax) break;
      items += group.items.length;
      groups += 1;
    }
    this.#waitingItems -= items;
    this.#cameTogether = groups > 1;
    return this.#waiting.splice(0, groups);
  }

  async #work(groups: readonly Group<Item, Result>[]): Promise<void> {
    try {
      const items = groups.length === 1 ? groups[0]!.items : groups.flatMap((group) => group.items);
      const results = await this.options.flush(items);
      if (results.length !== items.length) throw new Error(`${results.length} results of ${items.length} items`);
      let at = 0;
      for (const group of groups) {
        group.resolve(results.slice(at, at + group.items.length));
        at += group.items.length;
      }
    } catch (error) {
      for (const group of groups) group.reject(error);
    }
  }
}
