import { surplusGrants } from '../../../services/libs/database/grants.js';

const USER = '`playbill_batch`@`%`';
const WANTED = [
  { privileges: 'SELECT, INSERT, UPDATE (reason, viewer)', on: 'playbill_watch.watch_event' },
  { privileges: 'ALL PRIVILEGES', on: 'playbill_dapr.*' },
];
/** As MariaDB and MySQL 8.4 show them. */
const SHOWN = {
  MariaDB: [
    `GRANT USAGE ON *.* TO ${USER} IDENTIFIED BY PASSWORD '*0123456789ABCDEF'`,
    `GRANT ALL PRIVILEGES ON \`playbill_dapr\`.* TO ${USER}`,
    `GRANT SELECT, INSERT, UPDATE (\`reason\`, \`viewer\`) ON \`playbill_watch\`.\`watch_event\` TO ${USER}`,
  ],
  MySQL: [
    `GRANT USAGE ON *.* TO ${USER}`,
    `GRANT ALL PRIVILEGES ON \`playbill_dapr\`.* TO ${USER}`,
    `GRANT SELECT, INSERT, UPDATE (\`reason\`, \`viewer\`) ON \`playbill_watch\`.\`watch_event\` TO ${USER}`,
  ],
};

describe.each(Object.entries(SHOWN))('rights as %s shows them', (_server, shown) => {
  test('are no surplus when they are wanted', () => {
    expect(surplusGrants(shown, WANTED)).toEqual([]);
  });

  test('that are wanted no more are revoked one by one, and no other', () => {
    expect(surplusGrants(shown, [{ privileges: 'SELECT, UPDATE (reason, viewer)', on: WANTED[0]!.on }])).toEqual([
      { privileges: 'ALL PRIVILEGES', on: 'playbill_dapr.*' },
      { privileges: 'INSERT', on: 'playbill_watch.watch_event' },
    ]);
  });

  test('include the right to pass them on', () => {
    const passing = [...shown, `GRANT SELECT ON \`playbill_batch\`.\`run\` TO ${USER} WITH GRANT OPTION`];
    expect(surplusGrants(passing, [...WANTED, { privileges: 'SELECT', on: 'playbill_batch.run' }])).toEqual([
      { privileges: 'GRANT OPTION', on: 'playbill_batch.run' },
    ]);
  });
});

test('a line that is not understood is no right that stays unseen', () => {
  expect(() => surplusGrants([`GRANT \`a_role\`@\`%\` TO ${USER}`], WANTED)).toThrow('not understood');
});
