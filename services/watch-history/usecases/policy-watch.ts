import type { ValidityPolicy } from '#domain';

const REFRESH_MS = 30_000;

/** The versions of the validity policy, read at the start and again every half minute. */
export class PolicyWatch {
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private policies: readonly ValidityPolicy[],
    private readonly read: () => Promise<readonly ValidityPolicy[]>,
  ) {}

  /** @throws when they cannot be read, or there is none */
  static async start(read: () => Promise<readonly ValidityPolicy[]>): Promise<PolicyWatch> {
    const policies = await read();
    if (policies.length === 0) throw new Error('there is no validity policy');
    const watch = new PolicyWatch(policies, read);
    watch.#timer = setInterval(() => void watch.#refresh(), REFRESH_MS);
    return watch;
  }

  /** Every version that is known. */
  current(): readonly ValidityPolicy[] {
    return this.policies;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is known stays when the database cannot be asked. */
  async #refresh(): Promise<void> {
    this.policies = await this.read().catch(() => this.policies);
  }
}
