import type { Response, Router } from 'express';
import { z } from 'zod';
import { parseTariff, type TariffInput, type TariffTerms } from '#domain';
import { nameOf, principalOf } from '#lib/auth';
import { dayField, ops } from '#lib/contract';
import { Problem, parseOrRefuse } from '#lib/http';
import { exactNumber } from '../../domain/reconciliation.js';
import { toInstant } from '../../repositories/rows.js';
import type { Context } from '../../usecases/context.js';
import { dropOldDays } from '../../usecases/drop-old-days.js';
import { holdDay, listHolds, releaseDay } from '../../usecases/hold-day.js';
import { reconcileBooks } from '../../usecases/reconcile.js';
import { queueReruns, requestReruns } from '../../usecases/rerun.js';
import { addTariff, listTariffs, previewTariff } from '../../usecases/tariffs.js';
import { viewAudit } from '../../usecases/view-audit.js';
import type { ActorClient } from '../actors/coordinator-client.js';

/** Who acts, for runs and the audit log; after `requireOperator`. */
export function actorOf(res: Response): string {
  return nameOf(principalOf(res));
}

interface MoneyRouteOptions {
  readonly context: Context;
  readonly actors: ActorClient;
}

/** Operators' calls about money: the books, tariffs, holds and the audit log. */
export function addMoneyRoutes(router: Router, { context, actors }: MoneyRouteOptions): void {
  router.get('/v1/ops/reconciliation/books', async (_req, res) => void res.json(await reconcileBooks(context)));
  router.get('/v1/ops/tariffs', async (_req, res) => void res.json({ items: await listTariffs(context) }));
  router.post('/v1/ops/tariffs', async (req, res) => {
    const terms = termsOf(parseOrRefuse(ops.tariffBody, req.body ?? {}));
    res.status(201).json(await addTariff(context, { terms, actor: actorOf(res) }));
  });
  router.post('/v1/ops/tariffs/preview', async (req, res) => {
    const { tariff, from, to } = parseOrRefuse(ops.previewBody, req.body ?? {});
    res.json(await previewTariff(context, { terms: termsOf(tariff, 'tariff.'), from, to }));
  });
  router.get('/v1/ops/holds', async (_req, res) => void res.json({ items: (await listHolds(context)).map(viewHold) }));
  router.post('/v1/ops/holds', async (req, res) => {
    const { date, reason } = parseOrRefuse(ops.holdBody, req.body ?? {});
    res.status(201).json(viewHold(await holdDay(context, { day: date, reason, actor: actorOf(res) })));
  });
  router.post('/v1/ops/holds/release', async (req, res) => {
    const { date, reason } = parseOrRefuse(ops.holdBody, req.body ?? {});
    const released = await releaseDay(context, { day: date, reason, actor: actorOf(res) });
    await actors.wake().catch(() => undefined);
    res.json(released);
  });
  router.post('/v1/ops/retention', async (req, res) => {
    const { keepDays, trial } = parseOrRefuse(ops.retentionBody, req.body ?? {});
    const { keptFrom, days } = await dropOldDays(context, { keepDays, isTrial: trial, actor: actorOf(res) });
    res.json({ keptFrom, trial, days: days.map(({ day, events }) => ({ day, events: exactNumber(events) })) });
  });
  router.get('/v1/ops/audit', async (req, res) => {
    const { cursor } = parseOrRefuse(ops.listAudit.request.query, req.query);
    res.json(await viewAudit(context, cursor));
  });
}

/** What other services ask: days whose events were revoked are run again. Safe to repeat. */
export function addRerunRoute(router: Router, { context, actors }: MoneyRouteOptions): void {
  router.post('/internal/reruns', async (req, res) => {
    await requestReruns(context, parseOrRefuse(rerunBody, req.body ?? {}));
    await queueReruns(context);
    await actors.wake().catch(() => undefined);
    res.json({ ok: true });
  });
}

const rerunBody = z.object({ days: z.array(dayField).min(1).max(10_000), requestedBy: z.string().min(1).max(100) });

/** @throws Problem INVALID naming every tier and field that breaks a rule */
function termsOf(input: TariffInput, prefix = ''): TariffTerms {
  const parsed = parseTariff(input);
  if (parsed.ok) return parsed.terms;
  const errors = parsed.errors.map(({ field, message }) => ({ field: prefix + field, message }));
  throw new Problem('INVALID', { detail: errors.map((e) => `${e.field}: ${e.message}`).join('; '), errors });
}

type Hold = Awaited<ReturnType<typeof listHolds>>[number];

function viewHold(hold: Hold) {
  return { ...hold, heldAt: toInstant(hold.heldAt) };
}
