import express, { type Express } from 'express';
import { requireUser, userOf, type Verifier } from '#lib/auth';
import { user as contract } from '#lib/contract';
import { parseOrRefuse } from '#lib/http';
import { revokeSession } from '../../repositories/session-repository.js';
import type { Context } from '../../usecases/context.js';
import { logIn } from '../../usecases/log-in.js';
import { refreshSession } from '../../usecases/refresh-session.js';
import { signUp } from '../../usecases/sign-up.js';

/** The calls of clients; the gateway alone may pass them on. */
export function addPublicRoutes(app: Express, { context, verifier }: { context: Context; verifier: Verifier }): void {
  const router = express.Router();
  router.post(contract.signup.path, async (req, res) => {
    const account = parseOrRefuse(contract.signup.request.body, req.body);
    const { userId, email } = await signUp(context, account);
    res.status(201).json({ userId: userId.toString(), email });
  });
  router.post(contract.login.path, async (req, res) => {
    const tokens = await logIn(context, parseOrRefuse(contract.login.request.body, req.body));
    res.set('cache-control', 'no-store').json(tokens);
  });
  router.post(contract.refresh.path, async (req, res) => {
    const { refreshToken } = parseOrRefuse(contract.refresh.request.body, req.body);
    res.set('cache-control', 'no-store').json(await refreshSession(context, refreshToken));
  });
  router.post(contract.logout.path, requireUser(verifier), async (_req, res) => {
    const { sessionId } = userOf(res);
    await revokeSession(context.database.primary, { sessionId, because: 'logout' }, context.now());
    res.status(204).end();
  });
  app.use(router);
}
