import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';
import { ROOT_DIR } from '../../../../deploy/local/stack/paths.js';

/** A statement in the source, with its parts that are put in when it is sent. */
export interface Statement {
  readonly file: string;
  /** Texts around the holes. */
  readonly texts: readonly string[];
  /** Of each hole, what it certainly is; undefined when that depends on the call. */
  readonly holes: readonly (string | undefined)[];
}

/** Words that a statement begins with; in capitals, as all SQL of the project is. */
const BEGINS =
  /^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|GRANT|REVOKE|SET|START|COMMIT|WITH|SHOW|LOAD|LOCK|FLUSH)\s/;
/** Places of statements for one server only, which the adapter chooses. */
const OF_ONE_DIALECT = 'services/libs/database/dialect.ts';

// biome-ignore lint/suspicious/noExplicitAny: nodes of a syntax tree
type Node = any;

/** Every SQL statement that the services' code holds as text. */
export function statementsOfServices(): Statement[] {
  const files = readdirSync(join(ROOT_DIR, 'services'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('services', file))
    .filter((file) => file !== OF_ONE_DIALECT);
  const modules = files.map((file) => ({ file, body: parseFile(file) }));
  const constants = constantsOf(modules.map(({ body }) => body));
  return modules.flatMap(({ file, body }) => statementsOf(file, body, constants));
}

function parseFile(file: string): Node {
  const text = readFileSync(join(ROOT_DIR, file), 'utf8');
  return parseSync(text, { syntax: 'typescript', decorators: true, target: 'es2022' }).body;
}

function walk(node: Node, visit: (node: Node) => void): void {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') visit(node);
  for (const value of Object.values(node)) walk(value, visit);
}

function textOf(node: Node): { texts: string[]; expressions: Node[] } | undefined {
  if (node?.type === 'StringLiteral') return { texts: [node.value], expressions: [] };
  if (node?.type !== 'TemplateLiteral') return undefined;
  return { texts: node.quasis.map((part: Node) => part.cooked), expressions: node.expressions };
}

/** Constants that are texts, by name; a name that means different things in different files is left out. */
function constantsOf(bodies: readonly Node[]): ReadonlyMap<string, Node> {
  const found = new Map<string, Node | null>();
  for (const body of bodies) {
    walk(body, (node) => {
      if (node.type !== 'VariableDeclarator' || textOf(node.init) === undefined) return;
      const name = node.id.value;
      const known = found.get(name);
      const isOther = known !== undefined && JSON.stringify(textOf(known)) !== JSON.stringify(textOf(node.init));
      found.set(name, isOther ? null : node.init);
    });
  }
  return new Map([...found].filter(([, node]) => node !== null));
}

function statementsOf(file: string, body: Node, constants: ReadonlyMap<string, Node>): Statement[] {
  const statements: Statement[] = [];
  walk(body, (node) => {
    const text = textOf(node);
    if (text === undefined || !BEGINS.test(text.texts[0]!)) return;
    statements.push({ file, texts: text.texts, holes: text.expressions.map((one) => fixedText(one, constants, 0)) });
  });
  return statements;
}

const DEPTH_MAX = 4;

/** The text of a constant, with those inside it; undefined for anything else. */
function fixedText(node: Node, constants: ReadonlyMap<string, Node>, depth: number): string | undefined {
  const text = textOf(node.type === 'Identifier' ? constants.get(node.value) : node);
  if (text === undefined || depth > DEPTH_MAX) return undefined;
  const inner = text.expressions.map((one) => fixedText(one, constants, depth + 1));
  if (inner.includes(undefined)) return undefined;
  return text.texts.map((part, index) => part + (inner[index] ?? '')).join('');
}

/** What may stand in a hole whose value depends on the call, the likeliest first by what stands before it. */
const GUESSES: readonly [RegExp, readonly string[]][] = [
  [/\bVALUES\s*$/, ['(?)', '(?, ?)']],
  [/\.$/, ['x']],
  [/'$/, ['x']],
  [/\bUSER( IF NOT EXISTS)?\s+$/, ["'a'@'%'"]],
  [/\b(FROM|TO)\s+$/, ['x.y', "'a'@'%'"]],
  [/\bPARTITION\s+$/, ['p']],
  [/'\), $/, ['PARTITION p VALUES LESS THAN (MAXVALUE)']],
  [/\b(FROM|INTO|UPDATE|JOIN|TABLE)\s+$/, ['x.y', '(SELECT 1) AS x']],
  [/\b(LIMIT|INTERVAL)\s+$/, ['1']],
  [/\bAS\s+$/, ['x']],
  [/\bIS\s+$/, ['NULL']],
  [/\b(BY|SELECT|DISTINCT)\s+$/, ['a', 'a.b']],
  [/\bFROM \($/, ['SELECT 1']],
  [/[(,=<>]\s*$/, ['?', 'a', 'SELECT 1']],
  [/\b(WHERE|AND|OR|NOT)\s+$/, ['a', 'a = ?']],
];
const ANYWHERE = ['', 'a', '?', 'x.y', 'AND a = ?', 'JOIN x ON x.a = y.a', "'x'"];
const TRIES_MAX = 100;

/** The statement with each hole filled in, in the order in which it is worth trying. */
export function* variantsOf({ texts, holes }: Statement): Generator<string> {
  const options = holes.map((value, index) => {
    if (value !== undefined) return [value];
    const likely = GUESSES.find(([before]) => before.test(texts[index]!))?.[1] ?? [];
    return [...new Set([...likely, ...ANYWHERE])];
  });
  let tries = 0;
  for (const chosen of combinations(options)) {
    if (++tries > TRIES_MAX) return;
    yield texts.map((text, index) => text + (chosen[index] ?? '')).join('');
  }
}

function* combinations(options: readonly (readonly string[])[]): Generator<string[]> {
  if (options.length === 0) return yield [];
  const [last, ...before] = [options.at(-1)!, ...options.slice(0, -1)];
  for (const head of combinations(before)) for (const value of last) yield [...head, value];
}
