import fc from 'fast-check';

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema
export type Schema = any;

export interface Values {
  /** Values for `format: date`; real ones and ones that look it. */
  readonly days: readonly string[];
  /** Ids that exist. */
  readonly ids: readonly string[];
}

/** What breaks parsers, databases and careless code. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  0,
  -1,
  -0,
  0.1,
  2 ** 31,
  2 ** 53,
  1e308,
  [],
  {},
  [[[]]],
  'x'.repeat(5_000),
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e💥👩‍👩‍👧‍👦',
  "'; DROP TABLE user; --",
  '%00',
  '../../internal',
  '9'.repeat(30),
  '-1',
  '1e5',
  '9223372036854775808',
  '2026-02-30',
  '9999-12-31',
  '0000-00-00',
  '2026-W54',
  JSON.parse('{"__proto__": {"roles": ["operator"]}}'),
  { constructor: { prototype: {} } },
];

const HOSTILE_ONE_IN = 12;

/** Values that fit a schema, most of the time: every part of them may be something hostile instead. */
export function arbitraryOf(schema: Schema, values: Values): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: HOSTILE_ONE_IN - 1, arbitrary: fittingOf(schema, values) },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
  );
}

function fittingOf(schema: Schema, values: Values): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...(schema.enum as unknown[]));
  if (schema.const !== undefined) return fc.constant(schema.const);
  const alternatives: Schema[] | undefined = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map((one) => arbitraryOf(one, values)));
  const [type] = Array.isArray(schema.type) ? schema.type : [schema.type];
  switch (type) {
    case 'object':
      return objectOf(schema, values);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}, values), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
    case 'integer':
      return integerOf(schema);
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1_000 });
    case 'boolean':
      return fc.boolean();
    case 'string':
      return stringOf(schema, values);
    default:
      return fc.jsonValue();
  }
}

function objectOf(schema: Schema, values: Values): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const model = Object.fromEntries(properties.map(([name, part]) => [name, arbitraryOf(part, values)]));
  const required: string[] = schema.required ?? [];
  const complete = fc.record(model, { requiredKeys: required });
  const incomplete = fc.record(model, { requiredKeys: [] });
  return fc.oneof({ weight: 9, arbitrary: complete }, { weight: 1, arbitrary: incomplete });
}

function integerOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): fc.Arbitrary<number> {
  const small = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 600) });
  const tiny = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 2) });
  return fc.oneof(tiny, small, fc.constantFrom(minimum, maximum, minimum - 1, 2 ** 31, 2 ** 32));
}

function stringOf(schema: Schema, { days, ids }: Values): fc.Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = 300 } = schema;
  if (format === 'date') return fc.constantFrom(...days);
  if (format === 'date-time') return instantOf();
  if (format === 'uuid') return fc.uuid();
  if (format === 'email') return fc.emailAddress();
  if (pattern !== undefined) {
    const matching = fc.stringMatching(new RegExp(pattern, 'u'));
    return ids.length > 0 && /\[1-9\]/.test(pattern) ? fc.oneof(fc.constantFrom(...ids), matching) : matching;
  }
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 300) });
}

function instantOf(): fc.Arbitrary<string> {
  const recent = fc.integer({ min: -40 * 86_400_000, max: 600_000 });
  return recent.map((offsetMs) => new Date(Date.now() + offsetMs).toISOString());
}

/** A body as it is sent: mostly JSON of the schema, sometimes something that is none. */
export function bodyOf(schema: Schema, values: Values): fc.Arbitrary<{ text: string; type: string }> {
  const json = arbitraryOf(schema, values).map((value) => ({ text: JSON.stringify(value), type: 'application/json' }));
  const broken = fc
    .constantFrom(
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '1',
      '{"a":1}{"b":2}',
      '['.repeat(5_000),
      '{"a":'.repeat(2_000),
      '\ufeff{}',
    )
    .map((text) => ({ text, type: 'application/json' }));
  const types = fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=utf-7', 'nonsense', '');
  const otherType = fc.tuple(json, types).map(([{ text }, type]) => ({ text, type }));
  return fc.oneof(
    { weight: 16, arbitrary: json },
    { weight: 2, arbitrary: broken },
    { weight: 1, arbitrary: otherType },
  );
}

/** A value in a path or a query, encoded; some that are not. */
export function textOf(schema: Schema, values: Values): fc.Arbitrary<string> {
  const encoded = arbitraryOf(schema, values).map((value) => {
    const text = String(typeof value === 'object' ? JSON.stringify(value) : value).slice(0, 1_000);
    // By way of UTF-8, which has no lone surrogates.
    return encodeURIComponent(Buffer.from(text).toString());
  });
  return fc.oneof(
    { weight: 12, arbitrary: encoded },
    { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%00', '%c3%28', '..', '%2e%2e', '%2F', ';', 'a=b') },
  );
}
