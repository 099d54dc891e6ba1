import type { Registry } from 'prom-client';
import request from 'supertest';
import { createServiceApp } from '#lib/http';
import { createLogger } from '#lib/logging';
import { createDeadLetterMetrics, createIngestMetrics, createMailMetrics } from '#lib/telemetry';

/** Lines of our own metrics, as a scraper of a service sees them. */
async function scrape(metrics: Registry): Promise<string[]> {
  const { app } = createServiceApp({
    logger: createLogger({ service: 'test', replica: 'test', level: 'silent' }),
    appApiToken: 'app-token-of-tests',
    ready: async () => undefined,
    metrics,
  });
  const { text } = await request(app).get('/metrics').expect(200);
  return text.split('\n').filter((line) => line.startsWith('playbill_'));
}

test('what waits in the database is read at each scrape', async () => {
  let letters = 1;
  const metrics = createDeadLetterMetrics({ video: async () => letters });
  expect(await scrape(metrics)).toEqual(['playbill_dead_letters_waiting{consumer="video"} 1']);
  letters = 0;
  expect(await scrape(metrics)).toEqual(['playbill_dead_letters_waiting{consumer="video"} 0']);
});

test('an outbox is read once for its rows and its age', async () => {
  let reads = 0;
  const { registry } = createIngestMetrics({
    async outbox() {
      reads += 1;
      return { rows: 3, oldestSeconds: 61 };
    },
  });
  const lines = await scrape(registry);
  expect(lines).toContain('playbill_outbox_rows{outbox="outbox"} 3');
  expect(lines).toContain('playbill_outbox_oldest_seconds{outbox="outbox"} 61');
  expect(reads).toBe(1);
});

test('what the database does not say is absent, and all else is answered', async () => {
  const away = () => Promise.reject(new Error('ECONNREFUSED'));
  const { registry, mails } = createMailMetrics({ outbox: away }, { queued: away, in_doubt: async () => 2 });
  mails.inc({ outcome: 'sent' });
  expect(await scrape(registry)).toEqual([
    'playbill_mails_waiting{state="in_doubt"} 2',
    'playbill_mails_total{outcome="sent"} 1',
  ]);
});

test('a database that hangs holds no scrape up, and is asked no second time meanwhile', async () => {
  let asked = 0;
  const metrics = createDeadLetterMetrics({
    hung() {
      asked += 1;
      return new Promise(() => undefined);
    },
    well: async () => 0,
  });
  for (let scrapes = 0; scrapes < 2; scrapes += 1) {
    expect(await scrape(metrics)).toEqual(['playbill_dead_letters_waiting{consumer="well"} 0']);
  }
  expect(asked).toBe(1);
}, 10_000);
