import type { Installation } from './installation.js';
import { type Answer, refusalOf, ServiceCaller } from './service-caller.js';

export interface AddedOperator {
  readonly userId: string;
  readonly email: string;
  /** False when the account was there: its password is what it was. */
  readonly isNew: boolean;
}

export interface AddedClient {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
  readonly token: string;
}

export type ListedClient = Omit<AddedClient, 'token'>;

const CALL_TIMEOUT_MS = 10_000;
/** A token is used no longer than this before its end. */
const TOKEN_MARGIN_MS = 60_000;

/** The user service's calls for the command line, and the token by which this command line is an operator. */
export class UserClient {
  readonly #caller: ServiceCaller;
  readonly #opsKey: string;
  #token: { text: string; useUntilMs: number } | undefined;

  constructor(installation: Pick<Installation, 'userSidecarPorts' | 'daprApiToken' | 'opsKey'>) {
    const { userSidecarPorts: sidecarPorts, daprApiToken, opsKey } = installation;
    this.#caller = new ServiceCaller({ appId: 'user', sidecarPorts, daprApiToken });
    this.#opsKey = opsKey;
  }

  /** An operator's access token, valid for at least a minute. @throws CommandError USER_UNAVAILABLE */
  async operatorToken(): Promise<string> {
    if (this.#token === undefined || Date.now() > this.#token.useUntilMs) {
      const path = 'internal/ops/token';
      const body = { key: this.#opsKey };
      const answer = await this.#caller.call({ method: 'POST', path, body, timeoutMs: CALL_TIMEOUT_MS });
      if (answer.status !== 200) throw refusalOf(answer);
      const { accessToken, expiresIn } = answer.body;
      this.#token = { text: accessToken, useUntilMs: Date.now() + expiresIn * 1_000 - TOKEN_MARGIN_MS };
    }
    return this.#token.text;
  }

  /** @throws CommandError with the refusal's code */
  addOperator(account: { email: string; password: string }): Promise<AddedOperator> {
    return this.#post('internal/ops/operators', account);
  }

  /** @throws CommandError CLIENT_EXISTS and others */
  addClient(client: { clientId: string; scopes: readonly string[]; days?: number }): Promise<AddedClient> {
    return this.#post('internal/ops/clients', client);
  }

  revokeClient(clientId: string): Promise<{ clientId: string }> {
    return this.#post('internal/ops/clients/revoke', { clientId });
  }

  async clients(): Promise<readonly ListedClient[]> {
    const answer = await this.#call('GET', 'internal/ops/clients');
    return answer.body.items;
  }

  rotateKeys(options: { revokesOlder: boolean }): Promise<{ kid: string }> {
    return this.#post('internal/ops/keys/rotate', options);
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    return (await this.#call('POST', path, body)).body as T;
  }

  async #call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const token = await this.operatorToken();
    const answer = await this.#caller.call({ method, path, body, token, timeoutMs: CALL_TIMEOUT_MS });
    if (answer.status >= 300) throw refusalOf(answer);
    return answer;
  }
}
