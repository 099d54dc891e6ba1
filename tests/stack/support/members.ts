import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** Where the public port is now. */
export interface MembersTarget {
  readonly gatewayUrl: string;
}

export interface MembersReport {
  /** Answered calls by kind. */
  readonly calls: Readonly<Record<'login' | 'refresh' | 'top5' | 'bill' | 'video', number>>;
  /** Every call that was not answered as it should have been. */
  readonly failures: readonly string[];
}

interface Session {
  accessToken: string;
  refreshToken: string;
}

/** That exchange their refresh tokens at the same time. */
const SESSIONS = 4;
const PAUSE_MS = 40;
const CALL_TIMEOUT_MS = 15_000;

/**
 * Signed-in clients that never send a call twice: they log in, exchange their refresh tokens (one that came twice would
 * end its session, which shows at the next exchange), and read.
 */
export class Members {
  readonly #calls = { login: 0, refresh: 0, top5: 0, bill: 0, video: 0 };
  readonly #failures: string[] = [];
  readonly #clients: Promise<void>[] = [];
  #stopped = false;

  private constructor(
    private readonly target: MembersTarget,
    private readonly account: { readonly email: string; readonly password: string },
  ) {}

  /** Makes the account of all of them. */
  static async signUp(target: MembersTarget): Promise<Members> {
    const account = { email: `${randomUUID()}@example.com`, password: 'correct horse battery' };
    const members = new Members(target, account);
    await members.#send('/v1/user/signup', { body: account });
    return members;
  }

  start(): void {
    this.#clients.push(this.#loggingIn(), this.#reading());
    for (let i = 0; i < SESSIONS; i++) this.#clients.push(this.#refreshing());
  }

  async stop(): Promise<MembersReport> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return { calls: this.#calls, failures: this.#failures };
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      await work();
      await pause(PAUSE_MS);
    }
  }

  #loggingIn(): Promise<void> {
    return this.#repeat(async () => void (await this.#logIn()));
  }

  async #logIn(): Promise<Session | undefined> {
    return (await this.#count('login', '/v1/user/login', { body: this.account })) as Session | undefined;
  }

  async #refreshing(): Promise<void> {
    let session: Session | undefined;
    await this.#repeat(async () => {
      session ??= await this.#logIn();
      if (session === undefined) return;
      const body = { refreshToken: session.refreshToken };
      session = (await this.#count('refresh', '/v1/user/refresh', { body })) as Session | undefined;
    });
  }

  async #reading(): Promise<void> {
    const session = await this.#logIn();
    const token = session?.accessToken ?? '';
    await this.#repeat(async () => {
      await this.#count('top5', '/v1/info/top5/daily', {});
      await this.#count('bill', '/v1/info/bill/daily', { token });
      await this.#count('video', '/v1/video?creator=me', { token });
    });
  }

  async #count(kind: keyof MembersReport['calls'], path: string, call: Call): Promise<unknown> {
    try {
      const answer = await this.#send(path, call);
      this.#calls[kind] += 1;
      return answer;
    } catch (error) {
      this.#failures.push(`${kind}: ${(error as Error).message}`);
      return undefined;
    }
  }

  async #send(path: string, { body, token }: Call): Promise<unknown> {
    const response = await fetch(this.target.gatewayUrl + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text);
  }
}

interface Call {
  readonly body?: unknown;
  readonly token?: string;
}
