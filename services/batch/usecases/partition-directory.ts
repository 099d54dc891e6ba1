/**
 * Where partition actors live. Placement hashes ids over hosts, so which id is where can only be asked; this keeps the
 * answers until a call or a change of membership shows that they are out of date.
 */
export class PartitionDirectory {
  readonly #byWorker = new Map<string, string[]>();
  #knownMembers = '';

  constructor(
    private readonly locate: (actorId: string) => Promise<string>,
    private readonly idCount: number,
  ) {}

  /**
   * An id of an actor that lives on the worker, or undefined when none does.
   * @param round any number; different numbers spread calls over a worker's actors
   */
  idOn(worker: string, round: number): string | undefined {
    const ids = this.#byWorker.get(worker) ?? [];
    return ids[round % Math.max(1, ids.length)];
  }

  /** Asks again when the members (names with their incarnations) are not those of the last answers. */
  async refresh(members: readonly string[]): Promise<void> {
    const key = members.join(' ');
    if (key === this.#knownMembers) return;
    const ids = Array.from({ length: this.idCount }, (_, i) => `partition-${i}`);
    const places = await Promise.all(ids.map((id) => this.locate(id).catch(() => undefined)));
    this.#byWorker.clear();
    places.forEach((worker, i) => {
      if (worker === undefined) return;
      this.#byWorker.set(worker, [...(this.#byWorker.get(worker) ?? []), ids[i]!]);
    });
    const isComplete = members.every((member) => this.#byWorker.has(member.split('@')[0]!));
    this.#knownMembers = isComplete ? key : '';
  }

  /** Makes the next refresh ask again. */
  forget(): void {
    this.#knownMembers = '';
  }
}
