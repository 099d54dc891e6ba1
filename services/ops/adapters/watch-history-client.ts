import type { EventId, KstDay, Viewer } from '#domain';
import type { Installation } from './installation.js';
import { refusalOf, ServiceCaller } from './service-caller.js';
import { UserClient } from './user-client.js';

/** Whose events of which days, or which events. */
export type RevocationRequest = { readonly reason: string } & (
  | { readonly viewer: Viewer; readonly from: KstDay; readonly to: KstDay }
  | { readonly eventIds: readonly EventId[] }
);

const CALL_TIMEOUT_MS = 10_000;

/** The watch-history service's operator calls, by its own replicas' sidecars. */
export class WatchHistoryClient {
  readonly #caller: ServiceCaller;

  constructor(
    installation: Pick<Installation, 'watchHistorySidecarPorts' | 'daprApiToken'>,
    private readonly token: () => Promise<string>,
  ) {
    const { watchHistorySidecarPorts: sidecarPorts, daprApiToken } = installation;
    this.#caller = new ServiceCaller({ appId: 'watch-history', sidecarPorts, daprApiToken });
  }

  /** @throws CommandError with the refusal's code, or WATCH-HISTORY_UNAVAILABLE */
  async revoke(request: RevocationRequest): Promise<{ revocationId: string }> {
    const path = 'v1/ops/events/revoke';
    const token = await this.token();
    const answer = await this.#caller.call({ method: 'POST', path, body: request, token, timeoutMs: CALL_TIMEOUT_MS });
    if (answer.status !== 202) throw refusalOf(answer);
    return answer.body;
  }
}

/** The client as this command line makes it. */
export function watchHistoryClientOf(installation: Installation): WatchHistoryClient {
  const users = new UserClient(installation);
  return new WatchHistoryClient(installation, () => users.operatorToken());
}
