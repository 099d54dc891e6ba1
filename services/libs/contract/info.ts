import { z } from 'zod';
import {
  count,
  cursorField,
  day,
  dayField,
  id,
  instant,
  monthField,
  pageOf,
  period,
  videoIdField,
  weekField,
  won,
} from './fields.js';
import { defineRoute, type Route } from './route.js';

const INFO = { method: 'get', appId: 'video-info' } as const satisfies Partial<Route>;

const asOf = instant.nullable().meta({ description: 'the instant that the data reaches' });
const ranked = z.object({ rank: z.int().min(1).max(5), videoId: id, title: z.string() });

const topFive = z.object({
  period,
  final: z.boolean(),
  asOf,
  byViews: z.array(ranked.extend({ views: count })).max(5),
  byPlayTime: z.array(ranked.extend({ playTimeSeconds: count })).max(5),
});

export const dailyTop = defineRoute({
  ...INFO,
  path: '/v1/info/top5/daily',
  auth: 'anyone',
  summary: "A day's Top 5; the latest final day unless given",
  request: { query: z.object({ date: dayField.optional() }) },
  responses: { 200: { description: 'Top 5', body: topFive } },
});

export const weeklyTop = defineRoute({
  ...INFO,
  path: '/v1/info/top5/weekly',
  auth: 'anyone',
  summary: "A week's Top 5; the latest final week unless given",
  request: { query: z.object({ week: weekField.optional() }) },
  responses: { 200: { description: 'Top 5', body: topFive } },
});

export const monthlyTop = defineRoute({
  ...INFO,
  path: '/v1/info/top5/monthly',
  auth: 'anyone',
  summary: "A month's Top 5; the latest final month unless given",
  request: { query: z.object({ month: monthField.optional() }) },
  responses: { 200: { description: 'Top 5', body: topFive } },
});

const billAmounts = {
  views: z.int(),
  adViews: z.int(),
  videoProfit: won,
  adProfit: won,
  adjustments: won,
  total: won,
};

const bill = z.object({
  period,
  final: z.boolean(),
  asOf,
  currency: z.literal('KRW'),
  totals: z.object(billAmounts),
  videos: z.array(z.object({ videoId: id, title: z.string(), excluded: z.record(z.string(), count), ...billAmounts })),
  nextCursor: z.string().nullable(),
});

export const dailyBill = defineRoute({
  ...INFO,
  path: '/v1/info/bill/daily',
  auth: 'user',
  summary: "The signed-in creator's bill of a day",
  request: { query: z.object({ date: dayField.optional(), cursor: cursorField }) },
  responses: { 200: { description: 'the bill', body: bill } },
});

export const weeklyBill = defineRoute({
  ...INFO,
  path: '/v1/info/bill/weekly',
  auth: 'user',
  summary: "The signed-in creator's bill of a week",
  request: { query: z.object({ week: weekField.optional(), cursor: cursorField }) },
  responses: { 200: { description: 'the bill', body: bill } },
});

export const monthlyBill = defineRoute({
  ...INFO,
  path: '/v1/info/bill/monthly',
  auth: 'user',
  summary: "The signed-in creator's bill of a month",
  request: { query: z.object({ month: monthField.optional(), cursor: cursorField }) },
  responses: { 200: { description: 'the bill', body: bill } },
});

export const explainBill = defineRoute({
  ...INFO,
  path: '/v1/info/bill/explain',
  auth: 'user',
  summary: "A day's postings of a video, down to positions, slices and prices",
  request: { query: z.object({ date: dayField, videoId: videoIdField }) },
  responses: {
    200: {
      description: 'the postings',
      body: z.object({
        postings: z.array(
          z.object({
            kind: z.enum(['view', 'ad']),
            day,
            billedOn: day,
            postedAt: instant,
            cause: z.string().nullable(),
            tariffVersion: z.int().min(1),
            from: count,
            to: count,
            slices: z.array(z.object({ from: count, to: count, unitPrice: z.number(), amount: z.number() })),
            rounding: z.enum(['line', 'cumulative']),
            amount: won,
            runId: z.string(),
            traceId: z.string(),
          }),
        ),
      }),
    },
  },
  refusals: ['NOT_FOUND', 'FORBIDDEN'],
});

export const balance = defineRoute({
  ...INFO,
  path: '/v1/info/balance',
  auth: 'user',
  summary: "The signed-in creator's balance: the sum of the ledger's entries",
  responses: {
    200: { description: 'the balance', body: z.looseObject({ currency: z.literal('KRW'), balance: won }) },
  },
});

export const ledger = defineRoute({
  ...INFO,
  path: '/v1/info/ledger',
  auth: 'user',
  summary: "The signed-in creator's ledger entries, the newest first",
  request: { query: z.object({ cursor: cursorField }) },
  responses: { 200: { description: 'a page', body: pageOf(z.looseObject({ amount: won })) } },
});

export const infoRoutes = [
  dailyTop,
  weeklyTop,
  monthlyTop,
  dailyBill,
  weeklyBill,
  monthlyBill,
  explainBill,
  balance,
  ledger,
];
