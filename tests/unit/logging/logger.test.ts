import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SECRET = 'a-secret-text';

/** Runs a few lines with a logger of their own process, whose standard output is the log. */
function linesOf(code: string): Record<string, unknown>[] {
  const script = `
    import { createLogger } from '#lib/logging';
    import { inTrace, startTracing } from '#lib/telemetry';
    await startTracing({ service: 'test', replica: 'test-1', endpoint: undefined });
    const logger = createLogger({ service: 'test', replica: 'test-1', level: 'info' });
    ${code}`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(ROOT_DIR),
    encoding: 'utf8',
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('a line says who wrote it, and within a trace which one', () => {
  const lines = linesOf(`
    logger.info('outside');
    inTrace('00-${TRACE_ID}-b7ad6b7169203331-01', () => logger.info('inside'));`);
  expect(lines[0]).toMatchObject({ service: 'test', replica: 'test-1', msg: 'outside' });
  expect(lines[0]).not.toHaveProperty('traceId');
  expect(lines[1]).toMatchObject({ msg: 'inside', traceId: TRACE_ID });
});

test('no line holds a password or a token, at the top or one level down', () => {
  const lines = linesOf(`
    const secrets = Object.fromEntries(
      ['password', 'token', 'accessToken', 'refreshToken', 'authorization'].map((name) => [name, '${SECRET}']));
    logger.info(secrets, 'top');
    logger.info({ body: secrets }, 'one down');
    logger.info({ req: { headers: { authorization: '${SECRET}', 'dapr-api-token': '${SECRET}' } } }, 'request');`);
  expect(lines).toHaveLength(3);
  expect(JSON.stringify(lines)).not.toContain(SECRET);
  expect(JSON.stringify(lines).match(/\[redacted\]/g)).toHaveLength(12);
});
