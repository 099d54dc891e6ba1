import { z } from 'zod';
import { count, opaqueId, weekField } from './fields.js';
import { defineRoute } from './route.js';

const mailState = z.enum(['queued', 'sent', 'failed']);

export const weeklyStatement = defineRoute({
  method: 'get',
  path: '/v1/info/statement/weekly',
  appId: 'report',
  auth: 'user',
  summary: "The signed-in creator's statement of a week, as JSON, CSV or PDF",
  request: { query: z.object({ week: weekField.optional() }) },
  responses: {
    200: {
      description: 'the statement; its ETag is the hash of the content',
      body: z.looseObject({}),
      alsoAs: ['text/csv', 'application/pdf'],
    },
  },
  refusals: ['NOT_FOUND', 'NOT_ACCEPTABLE', 'WEEK_NOT_OVER', 'WEEK_NOT_SETTLED'],
  timeoutMs: 30_000,
});

export const mailBill = defineRoute({
  method: 'post',
  path: '/v1/info/bill/mail',
  appId: 'report',
  auth: 'user',
  summary: "Mail the signed-in creator's statement of a week; asking again sends no second mail",
  request: { body: z.object({ week: weekField.optional() }), bodyOptional: true },
  responses: {
    202: { description: 'will be sent, or was', body: z.object({ mailId: z.string(), state: mailState }) },
  },
  refusals: ['NOT_FOUND', 'WEEK_NOT_OVER', 'WEEK_NOT_SETTLED'],
});

export const getMail = defineRoute({
  method: 'get',
  path: '/v1/info/bill/mail/{mailId}',
  appId: 'report',
  auth: 'user',
  summary: 'What became of a mail',
  request: { params: z.object({ mailId: opaqueId }) },
  responses: {
    200: {
      description: 'its state',
      body: z.looseObject({ state: mailState, attempts: count, lastError: z.string().optional() }),
    },
  },
  refusals: ['NOT_FOUND'],
});

export const makeStatements = defineRoute({
  method: 'post',
  path: '/v1/ops/statements',
  appId: 'report',
  auth: 'operator',
  summary: "Make and mail a week's statements",
  request: { body: z.object({ week: weekField }) },
  responses: {
    202: {
      description: 'has begun, or had before',
      body: z.looseObject({ runId: z.string(), week: z.string(), state: z.enum(['waiting', 'running', 'completed']) }),
    },
  },
  refusals: ['WEEK_NOT_OVER', 'WEEK_NOT_SETTLED'],
});

export const statementRoutes = [weeklyStatement, mailBill, getMail, makeStatements];
