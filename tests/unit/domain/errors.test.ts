import { DOMAIN_ERROR_CODES, DomainError, isDomainError } from '#domain';

describe('domain errors', () => {
  test('codes are upper snake case, sorted and unique, so that they can be listed and relied on', () => {
    expect([...new Set(DOMAIN_ERROR_CODES)].sort()).toEqual([...DOMAIN_ERROR_CODES]);
    for (const code of DOMAIN_ERROR_CODES) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  test('carry a code, and a field and details only when there are any', () => {
    const plain = new DomainError('INVALID_DAY', 'No such day.');
    expect(Object.keys(plain)).not.toContain('field');
    const full = new DomainError('SETTLEMENT_GAP', 'x', { field: 'date', details: { firstMissingDay: '2026-03-01' } });
    expect(full).toMatchObject({ name: 'DomainError', code: 'SETTLEMENT_GAP', field: 'date' });
    expect(full.details?.firstMissingDay).toBe('2026-03-01');
    expect(isDomainError(full)).toBe(true);
    expect(isDomainError(new Error('x'))).toBe(false);
  });
});
