import { randomUUID } from 'node:crypto';
import { userClient } from './support/identity.js';
import { eventually, stack } from './support/stack.js';

interface Result {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the call
  readonly body: any;
}

async function callUser(path: string, body?: unknown, token?: string): Promise<Result> {
  const { endpoints } = stack();
  const response = await fetch(`http://127.0.0.1:${endpoints.user.sidecarPorts[0]}/v1.0/invoke/user/method/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'dapr-api-token': endpoints.daprApiToken,
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const newEmail = () => `${randomUUID()}@example.com`;
const PASSWORD = 'correct horse battery';

async function signIn() {
  const email = newEmail();
  await callUser('v1/user/signup', { email, password: PASSWORD });
  const { body } = await callUser('v1/user/login', { email, password: PASSWORD });
  return { email, ...body } as { email: string; accessToken: string; refreshToken: string };
}

const refresh = (refreshToken: string) => callUser('v1/user/refresh', { refreshToken });

describe('signing up', () => {
  test('makes an account that can sign in at once', async () => {
    const email = newEmail();
    const account = await callUser('v1/user/signup', { email: email.toUpperCase(), password: PASSWORD });
    expect(account).toEqual({ status: 201, body: { userId: expect.stringMatching(/^[1-9]\d+$/), email } });
    const login = await callUser('v1/user/login', { email, password: PASSWORD });
    expect(login).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresIn: 900 } });
  });

  test('twice with one email, in whatever case and at once, makes one account', async () => {
    const email = newEmail();
    const emails = [email, email.toUpperCase(), ` ${email} `];
    const answers = await Promise.all(
      emails.map((text) => callUser('v1/user/signup', { email: text, password: PASSWORD })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('EMAIL_TAKEN');
  });
});

describe('a refresh token', () => {
  test('is worth new tokens once', async () => {
    const first = await signIn();
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    expect((await refresh(second.body.refreshToken)).status).toBe(200);
  });

  test('that is used again revokes its family, the newest token too', async () => {
    const first = await signIn();
    const { body: second } = await refresh(first.refreshToken);
    expect(await refresh(first.refreshToken)).toMatchObject({ status: 401, body: { code: 'REFRESH_REFUSED' } });
    expect(await refresh(second.refreshToken)).toMatchObject({ status: 401, body: { code: 'REFRESH_REFUSED' } });
  });

  test('that is used twice at once is worth tokens once, and then its family nothing', async () => {
    const { refreshToken } = await signIn();
    const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(refreshToken)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const winner = answers.find(({ status }) => status === 200)!;
    expect((await refresh(winner.body.refreshToken)).status).toBe(401);
  });

  test('of another sign-in of the same user is not touched', async () => {
    const first = await signIn();
    const { body: other } = await callUser('v1/user/login', { email: first.email, password: PASSWORD });
    await refresh(first.refreshToken);
    await refresh(first.refreshToken);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  test('is worth nothing after signing out', async () => {
    const { accessToken, refreshToken } = await signIn();
    expect((await callUser('v1/user/logout', {}, accessToken)).status).toBe(204);
    expect((await refresh(refreshToken)).status).toBe(401);
  });
});

describe('signing keys', () => {
  test('that are rotated verify what they have signed, and the next is shown at once', async () => {
    const { accessToken } = await signIn();
    const { kid } = await userClient().rotateKeys({ revokesOlder: false });
    const { body } = await callUser('internal/jwks');
    expect(body.keys.map((key: { kid: string }) => key.kid)).toContain(kid);
    expect(JSON.stringify(body)).not.toMatch(/"d":/);
    expect((await callUser('v1/user/logout', {}, accessToken)).status).toBe(204);
  });

  test('that were stolen are revoked with everything that they have signed', async () => {
    const { accessToken } = await signIn();
    const { kid } = await userClient().rotateKeys({ revokesOlder: true });
    expect((await callUser('internal/jwks')).body.keys.map((key: { kid: string }) => key.kid)).toEqual([kid]);
    await stack().restart('user-1');
    // The sidecar learns of it by its own probes.
    await eventually(async () => (await callUser('internal/jwks')).status === 200 || undefined, {
      what: 'the sidecar to let calls through again',
      deadlineMs: 20_000,
    });
    expect((await callUser('v1/user/logout', {}, accessToken)).status).toBe(401);
    expect((await callUser('v1/user/logout', {}, (await signIn()).accessToken)).status).toBe(204);
  });
});

test('the command line gets no token for a wrong key', async () => {
  const { status, body } = await callUser('internal/ops/token', { key: 'wrong' });
  expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
});
