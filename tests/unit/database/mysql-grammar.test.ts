import { createRequire } from 'node:module';
import type { QueryRunner } from 'typeorm';
import { ACCOUNTS } from '../../../services/libs/database/accounts.js';
import { mysql8 } from '../../../services/libs/database/dialect.js';
import { migrations } from '../../../services/libs/database/migrations/index.js';
import { type Statement, statementsOfServices, variantsOf } from './support/statements.js';

/**
 * The embedded database is MariaDB, which understands everything of MySQL that we use and more. That nothing is sent
 * that MySQL would refuse is checked against the grammar of MySQL's own Workbench.
 */
const MYSQL_VERSION = '8.0.31';

interface Grammar {
  parse(sql: string): { lexerError?: Error; parserError?: Error };
}

let grammar: Grammar;
beforeAll(() => {
  const { default: Parser } = createRequire(import.meta.url)('ts-mysql-parser');
  grammar = new Parser({ version: MYSQL_VERSION });
});

/** @returns what the grammar has against the statement */
function refusal(sql: string): string | undefined {
  const asRead = REWRITES.reduce((text, { from, to }) => text.replaceAll(from, to), sql);
  const { lexerError, parserError } = grammar.parse(asRead);
  return (lexerError ?? parserError)?.message;
}

/** What MySQL 8.4 understands but this grammar does not; each with where the manual says so. */
const BEYOND_THE_GRAMMAR: readonly { readonly statement: RegExp; readonly why: string }[] = [
  { statement: /^SHOW REPLICA STATUS$/, why: 'new in 8.0.22 (SHOW REPLICA STATUS); the old words are gone from 8.4' },
  {
    statement: /^START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY$/,
    why: 'characteristics may be several, separated by commas (reference manual, START TRANSACTION)',
  },
];

/** Read in another way by this grammar than by MySQL; each is put in its own words before it is parsed. */
const REWRITES: readonly { readonly from: RegExp; readonly to: string; readonly why: string }[] = [
  {
    from: /IDENTIFIED BY \?/g,
    to: "IDENTIFIED BY 'x'",
    why: 'the driver puts the text in before it sends the statement',
  },
  { from: /\bNOT \(/g, to: '- (', why: 'it takes no alias after NOT (…); the manual has no such limit (Operators)' },
];

/** Functions that the statements call, all of them in the reference manual of MySQL 8.4 (chapter 14). */
const FUNCTIONS = new Set(
  (
    'ABS CAST CEIL CHAR COALESCE CONCAT CONCAT_WS CONVERT COUNT DATE DATE_ADD DATE_SUB DATEDIFF ELT EXISTS FIELD FLOOR ' +
    'FOUND_ROWS GET_LOCK GREATEST GROUP_CONCAT HEX IF IFNULL ISNULL JSON_ARRAY JSON_ARRAYAGG JSON_EXTRACT JSON_LENGTH ' +
    'JSON_OBJECT JSON_OBJECTAGG JSON_TABLE JSON_UNQUOTE JSON_VALUE LAG LEAD LEAST LEFT LENGTH LOWER MAX MD5 MIN MOD NOW NULLIF ' +
    'RANK RELEASE_LOCK REPEAT ROUND ROW_NUMBER SHA2 SUBSTRING SUM TIMESTAMPDIFF TRIM TRUNCATE UNHEX UPPER UTC_TIMESTAMP ' +
    'VALUES VERSION YEAR'
  ).split(' '),
);
/** Words before a bracket that call nothing: keywords, types, and what a CREATE names. */
const KEYWORDS = new Set(
  (
    'ALL AND AS BIGINT BINARY BY CHAR COLUMNS DATETIME DECIMAL ENUM FROM GROUP HAVING IN INDEX INTO JOIN KEY MEDIUMINT NOT ' +
    'ON OR OVER PARTITION PARTITIONS RANGE REORGANIZE SELECT SET SMALLINT THAN THEN TIMESTAMP TINYINT UNION UPDATE ' +
    'USING VARBINARY VARCHAR WHEN WHERE WITH'
  ).split(' '),
);

function unknownFunctions(sql: string): string[] {
  const withoutTexts = sql.replaceAll(/'(?:[^'\\]|\\.|'')*'/g, "''");
  const called = [...withoutTexts.matchAll(/\b([A-Z][A-Z0-9_]*)\s*\(/g)].map(([, name]) => name!);
  return called.filter((name) => !FUNCTIONS.has(name) && !KEYWORDS.has(name));
}

describe("MySQL's grammar accepts", () => {
  const statements = statementsOfServices();

  test('every statement in the source of the services, of which there are many', () => {
    expect(statements.length).toBeGreaterThan(250);
    const refused = statements.flatMap((statement) => {
      const problem = problemOf(statement);
      return problem === undefined ? [] : [{ file: statement.file, statement: shown(statement), problem }];
    });
    expect(refused).toEqual([]);
  }, 600_000);

  test('every migration', async () => {
    const all = await statementsOfMigrations();
    expect(all.length).toBeGreaterThan(30);
    expect(all.map((sql) => ({ sql, problem: refusal(sql) })).filter(({ problem }) => problem !== undefined)).toEqual(
      [],
    );
    expect(all.flatMap(unknownFunctions)).toEqual([]);
  }, 300_000);

  test('every grant of every account', () => {
    const grants = Object.values(ACCOUNTS).flat();
    for (const { privileges, on } of grants) {
      const sql = `GRANT ${privileges} ON ${on} TO 'account'@'%'`;
      expect([sql, refusal(sql)]).toEqual([sql, undefined]);
    }
  }, 120_000);

  test("what the adapter's side of MySQL sends", async () => {
    const sent: string[] = [];
    const server = {
      async query(sql: string) {
        sent.push(sql);
        return [{ position: 'x:1', result: 0 }];
      },
    };
    await mysql8.waitForPosition(server, await mysql8.currentPosition(server), 1_000);
    expect(sent).toHaveLength(2);
    expect(sent.map(refusal)).toEqual([undefined, undefined]);
  });
});

test.each([
  ['INSERT … RETURNING', 'INSERT INTO t (a) VALUES (1) RETURNING a'],
  ['ADD COLUMN IF NOT EXISTS', 'ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT'],
  ['CREATE OR REPLACE TABLE', 'CREATE OR REPLACE TABLE t (a INT)'],
  ['LIMIT ROWS EXAMINED', 'SELECT 1 FROM t LIMIT 1 ROWS EXAMINED 10'],
  ['sequences', 'CREATE SEQUENCE s'],
  ['SET STATEMENT', 'SET STATEMENT max_statement_time = 1 FOR SELECT 1'],
])("the check finds what is MariaDB's alone: %s", (_name, sql) => {
  expect(refusal(sql)).toBeDefined();
});

test("the check finds functions of MariaDB's alone", () => {
  expect(unknownFunctions('SELECT MASTER_GTID_WAIT(?, 1), COUNT(*)')).toEqual(['MASTER_GTID_WAIT']);
});

/** @returns why no way of filling its holes gives a statement of MySQL */
function problemOf(statement: Statement): string | undefined {
  const [written = ''] = statement.texts;
  if (statement.texts.length === 1 && BEYOND_THE_GRAMMAR.some((one) => one.statement.test(written))) return undefined;
  let first: string | undefined;
  for (const sql of variantsOf(statement)) {
    const problem = refusal(sql);
    if (problem === undefined) {
      const unknown = unknownFunctions(sql);
      return unknown.length === 0 ? undefined : `unknown functions: ${unknown.join(', ')}`;
    }
    first ??= problem;
  }
  return first;
}

function shown({ texts }: Statement): string {
  return texts.join('…').replaceAll(/\s+/g, ' ');
}

/** What the migrations send to an empty database. */
async function statementsOfMigrations(): Promise<string[]> {
  const sent: string[] = [];
  for (const Migration of migrations) {
    let isDone = false;
    const runner = {
      // A step asks whether it is done; its own statement is everything else.
      async query(sql: string) {
        sent.push(sql);
        if (!/^\s*SELECT/.test(sql)) isDone = true;
        return [{ ok: isDone ? 1 : 0 }];
      },
    };
    await new Migration().up(runner as unknown as QueryRunner);
  }
  return sent;
}
