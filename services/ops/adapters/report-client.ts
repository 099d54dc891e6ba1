import type { IsoWeek } from '#domain';
import type { Installation } from './installation.js';
import { type Answer, refusalOf, ServiceCaller } from './service-caller.js';
import { UserClient } from './user-client.js';

/** The making of a week's statements, and what became of its mails. */
export interface StatementRunView {
  readonly runId: string;
  readonly week: string;
  readonly state: 'waiting' | 'running' | 'completed';
  readonly creators: number;
  readonly made: number;
  readonly error?: string;
  readonly mails?: { readonly queued: number; readonly sent: number; readonly failed: number };
}

/** A mail that is not tried again by itself. */
export interface FailedMail {
  readonly mailId: string;
  readonly creatorId: string;
  readonly week: string;
  readonly revision: number;
  readonly attempts: number;
  readonly failure: string;
  readonly lastError?: string;
}

const CALL_TIMEOUT_MS = 10_000;

/** The report service's calls of an operator. */
export class ReportClient {
  constructor(
    private readonly caller: ServiceCaller,
    private readonly token: () => Promise<string>,
  ) {}

  /** @throws CommandError WEEK_NOT_OVER, WEEK_NOT_SETTLED and others */
  async makeStatements(week: IsoWeek): Promise<StatementRunView> {
    return (await this.#call('POST', 'v1/ops/statements', { week })).body;
  }

  async readRun(runId: string): Promise<StatementRunView> {
    return (await this.#call('GET', `internal/statement-runs/${encodeURIComponent(runId)}`)).body;
  }

  async failedMails(week?: IsoWeek): Promise<readonly FailedMail[]> {
    const query = week === undefined ? '' : `?week=${week}`;
    return (await this.#call('GET', `internal/mails/failed${query}`)).body.items;
  }

  async replayMails(mailIds: readonly string[]): Promise<number> {
    return (await this.#call('POST', 'internal/mails/replay', { mailIds })).body.replayed;
  }

  async #call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const token = await this.token();
    const answer = await this.caller.call({ method, path, body, token, timeoutMs: CALL_TIMEOUT_MS });
    if (answer.status >= 300) throw refusalOf(answer);
    return answer;
  }
}

/** The client of an installation, as the operator that its command line is. */
export function reportClientOf(installation: Installation): ReportClient {
  const { reportSidecarPorts: sidecarPorts, daprApiToken } = installation;
  const users = new UserClient(installation);
  return new ReportClient(new ServiceCaller({ appId: 'report', sidecarPorts, daprApiToken }), () =>
    users.operatorToken(),
  );
}
