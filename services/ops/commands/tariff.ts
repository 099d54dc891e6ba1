import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseKstDay } from '#domain';
import type { TariffPreview, TariffView } from '../adapters/batch-client.js';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

const CREATORS_SHOWN = 20;
const FILE_HELP = 'JSON: {effectiveFrom, rounding, view: [{from, unitPrice}], ad: [{from, unitPrice}]}';

/** `tariff list`, `tariff add`, `tariff preview`: what views and ad views cost, from which day on. */
export function addTariffCommands(program: Command, environment: CommandEnvironment): void {
  const tariff = program.command('tariff').description('tariffs: list, preview against real days, add');
  tariff
    .command('list')
    .description('every tariff, by version')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const tariffs = await (await environment.batch()).tariffs();
      printResult({ json, value: tariffs, text: () => formatTariffs(tariffs) });
    });
  tariff
    .command('add')
    .description('add a tariff; no day that it prices may be settled')
    .requiredOption('--file <tariff.json>', FILE_HELP)
    .option('--json', 'print the result as JSON', false)
    .action(async ({ file, json }: { file: string; json: boolean }) => {
      const added = await (await environment.batch()).addTariff(await readTariff(file));
      printResult({ json, value: added, text: () => formatTariffs([added]) });
    });
  tariff
    .command('preview')
    .description('what each creator would have been paid on settled days; writes nothing')
    .requiredOption('--file <tariff.json>', FILE_HELP)
    .requiredOption('--from <YYYY-MM-DD>', 'the first day, in Asia/Seoul')
    .requiredOption('--to <YYYY-MM-DD>', 'the last day, in Asia/Seoul')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { file: string; from: string; to: string; json: boolean }) => {
      const [from, to] = [parseKstDay(options.from, '--from'), parseKstDay(options.to, '--to')];
      const request = { tariff: await readTariff(options.file), from, to };
      const preview = await (await environment.batch()).previewTariff(request);
      printResult({ json: options.json, value: preview, text: () => formatPreview(preview) });
    });
}

async function readTariff(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError('FILE_UNREADABLE', `${file} cannot be read (${error.code})`);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError('FILE_UNREADABLE', `${file} is not JSON`);
  }
}

function formatTariffs(tariffs: readonly TariffView[]): string {
  return formatTable(
    [
      { title: 'version', align: 'right' },
      { title: 'from' },
      { title: 'rounding' },
      { title: 'kind' },
      { title: 'from position', align: 'right' },
      { title: 'won', align: 'right' },
      { title: 'added by' },
    ],
    tariffs.flatMap(({ version, effectiveFrom, rounding, createdBy, ...tiers }) =>
      (['view', 'ad'] as const).flatMap((kind) =>
        tiers[kind].map(({ from, unitPrice }) => [
          version,
          effectiveFrom,
          rounding,
          kind,
          from,
          unitPrice.toFixed(1),
          createdBy,
        ]),
      ),
    ),
  );
}

function formatPreview({ days, postings, totals, creators, omitted }: TariffPreview): string {
  if (days.length === 0) return 'no day of the range is settled: there is nothing to compare with';
  const shown = creators.slice(0, CREATORS_SHOWN);
  const table = formatTable(
    [
      { title: 'creator' },
      { title: 'paid', align: 'right' },
      { title: 'by this tariff', align: 'right' },
      { title: 'difference', align: 'right' },
    ],
    [
      ['all', totals.current, totals.preview, totals.difference],
      ...shown.map(({ creatorId, current, preview, difference }) => [creatorId, current, preview, difference]),
    ],
  );
  const rest = creators.length - shown.length + omitted;
  const more = rest > 0 ? `\n\nand ${rest} more creators (--json has them)` : '';
  return `${days.length} settled days, ${postings} postings\n\n${table}${more}`;
}
