import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '#lib/http';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

/** Code, status and title of each row of the page. */
function rowsOfPage(): [string, number, string][] {
  const rows = read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| ([^|]+) \| [^|]+ \|$/gm);
  return [...rows].map(([, code, status, title]) => [code!, Number(status), title!.trim()]);
}

const inSource = Object.entries(ERROR_CODES).map(([code, { status, title }]) => [code, status, title]);

test('the page of error codes lists every code with its status and title, and no other, once each', () => {
  expect(rowsOfPage().sort()).toEqual(inSource.sort());
});

test('every code is one that something refuses with', () => {
  const dir = fileURLToPath(new URL('services', ROOT));
  const source = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('http/codes.ts'))
    .map((file) => readFileSync(`${dir}/${file}`, 'utf8'))
    .join('\n');
  const unused = Object.keys(ERROR_CODES).filter((code) => !new RegExp(`['"]${code}['"]`).test(source));
  expect(unused).toEqual([]);
});

test('every status is one that the API may answer with', () => {
  for (const { status } of Object.values(ERROR_CODES)) {
    expect([400, 401, 403, 404, 406, 409, 413, 422, 429, 500, 503]).toContain(status);
  }
});
