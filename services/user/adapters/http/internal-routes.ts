import express, { type Express } from 'express';
import { z } from 'zod';
import { requireOperator, type Verifier } from '#lib/auth';
import { user as contract, userIdField } from '#lib/contract';
import { parseOrRefuse } from '#lib/http';
import { findEmails } from '../../repositories/user-repository.js';
import {
  addClient,
  addOperator,
  describeClients,
  describeKeys,
  issueCommandLineToken,
  revokeClient,
} from '../../usecases/administer.js';
import type { Context } from '../../usecases/context.js';

const keyRequest = z.object({ key: z.string().min(1).max(200) });
const clientName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Must be small letters, digits and dashes.');
const clientRequest = z.object({
  clientId: clientName,
  scopes: z.array(z.enum(['ingest'])).min(1),
  days: z.int().min(1).max(3_650).optional(),
});

const emailsRequest = z.object({ userIds: z.array(userIdField).max(1_000) });

export interface InternalRouteOptions {
  readonly context: Context;
  readonly verifier: Verifier;
  /** Shown by the command line to get an operator's token. */
  readonly opsKey: string;
}

/** What services and the command line ask; access control lets others of them have the keys only. */
export function addInternalRoutes(app: Express, { context, verifier, opsKey }: InternalRouteOptions): void {
  const router = express.Router();
  router.get('/internal/jwks', async (_req, res) => void res.json(await describeKeys(context)));
  router.post('/internal/emails', async (req, res) => {
    const { userIds } = parseOrRefuse(emailsRequest, req.body);
    res
      .set('cache-control', 'no-store')
      .json({ ok: true, emails: await findEmails(context.database.primary, userIds) });
  });
  router.post('/internal/ops/token', async (req, res) => {
    const { key } = parseOrRefuse(keyRequest, req.body);
    res.set('cache-control', 'no-store').json(await issueCommandLineToken(context, key, opsKey));
  });
  const operator = requireOperator(verifier);
  router.post('/internal/ops/operators', operator, async (req, res) => {
    res.json(await addOperator(context, parseOrRefuse(contract.credentials, req.body)));
  });
  router.get('/internal/ops/clients', operator, async (_req, res) => void res.json(await describeClients(context)));
  router.post('/internal/ops/clients', operator, async (req, res) => {
    const client = await addClient(context, parseOrRefuse(clientRequest, req.body));
    res.status(201).set('cache-control', 'no-store').json(client);
  });
  router.post('/internal/ops/clients/revoke', operator, async (req, res) => {
    const { clientId } = parseOrRefuse(z.object({ clientId: z.string().min(1).max(64) }), req.body);
    res.json(await revokeClient(context, clientId));
  });
  router.post('/internal/ops/keys/rotate', operator, async (req, res) => {
    const { revokesOlder } = parseOrRefuse(z.object({ revokesOlder: z.boolean().default(false) }), req.body);
    res.json({ kid: await context.keys.rotate({ revokesOlder }) });
  });
  app.use(router);
}
