import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { migrations } from '../../../services/libs/database/migrations/index.js';

const FIXTURE = join(ROOT_DIR, 'tests', 'fixtures', 'previous-release.tgz');

/** What the release before goes on with: it names its columns and reads no other. */
const ADDS = [
  /^CREATE (TABLE|DATABASE) IF NOT EXISTS /,
  /^INSERT IGNORE INTO /,
  /^ALTER TABLE \S+ ADD COLUMN [^,]+ (NULL|DEFAULT [^,]+)( COMMENT '[^']*')?$/,
  /^ALTER TABLE \S+ ADD (KEY|INDEX) /,
];

/** What takes away, and why the release before can bear it. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  RenameAdCounter1762070000001: 'recordings wait in their outbox for the services that know the new table',
  DropAdCounter1762070000004: 'its rows were summed up into the new table by the step before',
};

/** The names of all migrations of the release before, out of its compiled code. */
function namesBefore(): Set<string> {
  const files = '.local/build/services/libs/database/migrations';
  const text = execFileSync('tar', ['xzOf', FIXTURE, files], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return new Set([...text.matchAll(/'([A-Z]\w+\d{13})'/g)].map(([, name]) => name!));
}

/** What a migration does to a database in which it has not been done. */
async function statementsOf(migration: MigrationInterface): Promise<string[]> {
  const done: string[] = [];
  const query = async (sql: string) => {
    if (/^\s*SELECT/i.test(sql)) return [{ ok: done.length > 0 ? 1 : 0 }];
    done.push(sql.replace(/\s+/g, ' ').trim());
    return [];
  };
  await migration.up({ query } as unknown as QueryRunner);
  return done;
}

const before = namesBefore();
const added = migrations.map((Migration) => new Migration()).filter(({ name }) => !before.has(name ?? ''));

test('the release before has its migrations in the fixture, and this one has all of them still', () => {
  const names = new Set(migrations.map((Migration) => new Migration().name));
  expect(before.size).toBeGreaterThan(50);
  expect([...before].filter((name) => !names.has(name))).toEqual([]);
});

test('what this release does to the schema only adds, so that the release before goes on', async () => {
  for (const migration of added) {
    for (const statement of await statementsOf(migration)) {
      const isAllowed = ADDS.some((form) => form.test(statement)) || (migration.name ?? '') in EXCEPTIONS;
      expect([migration.name, statement, isAllowed]).toEqual([migration.name, statement, true]);
    }
  }
});

test('every exception is of this release', () => {
  const names = added.map(({ name }) => name);
  expect(Object.keys(EXCEPTIONS).filter((name) => !names.includes(name))).toEqual([]);
});
