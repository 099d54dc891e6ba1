import type { Grant } from './accounts.js';

const LINE = /^GRANT (.+) ON (\S+) TO \S+( .*)?$/;

/**
 * What a server grants beyond what is wanted.
 * @param shown lines of `SHOW GRANTS`, of MySQL or MariaDB
 * @returns what to revoke, one entry an object
 * @throws for a line that is not understood: rights that nobody sees must not stay
 */
export function surplusGrants(shown: readonly string[], wanted: readonly Grant[]): Grant[] {
  const wantedOn = new Map(wanted.map(({ on, privileges }) => [on, new Set(listOf(privileges))]));
  return shown.flatMap((line) => {
    const [, list, target, rest = ''] = LINE.exec(line.replaceAll('`', '')) ?? [];
    if (list === undefined || target === undefined) throw new Error(`grants: not understood: ${line.split(' TO ')[0]}`);
    const surplus = listOf(list).filter((one) => one !== 'USAGE' && !wantedOn.get(target)?.has(one));
    const [, passingOn] = /WITH (GRANT OPTION)/.exec(rest) ?? [];
    if (passingOn !== undefined) surplus.push(passingOn);
    return surplus.length === 0 ? [] : [{ privileges: surplus.join(', '), on: target }];
  });
}

/** Splits at the commas outside of column lists. */
function listOf(privileges: string): string[] {
  return privileges.split(/,\s*(?![^(]*\))/).map((one) => one.replace(/\s*,\s*/g, ', ').trim());
}
