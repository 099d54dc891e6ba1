import { badEnds } from './support/ends.js';
import { callGateway } from './support/gateway.js';
import { stack } from './support/stack.js';

const NAMES = [
  'watch-history-2',
  'video-info-1',
  'video-info-2',
  'user-1',
  'video',
  'advertisement',
  'batch-2',
  'report',
];

test('a service whose sidecar stays ends by itself, whatever connections that keeps', async () => {
  // Sidecars keep connections, and open some in advance.
  await Promise.all(Array.from({ length: 60 }, () => callGateway('/v1/info/top5/daily')));
  const ends = await Promise.all(NAMES.map((name) => stack().restart(name)));
  expect(badEnds(ends)).toEqual([]);
  await stack().waitHealthy();
}, 90_000);
