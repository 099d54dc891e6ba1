import type { Command } from 'commander';
import { parseKstDay } from '#domain';
import { type TopFive, topFiveOf } from '../adapters/result-queries.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `top`: the Top 5 of a day. */
export function addTopCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('top')
    .description('the five first videos of a day, by views and by play time, from a replica')
    .requiredOption('--date <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { date: string; json: boolean }) => {
      const date = parseKstDay(options.date, '--date');
      const top = await environment.withDatabase((database) => topFiveOf(database, date));
      printResult({ json: options.json, value: top, text: () => `${formatTopFive(top)}\n\nread from ${top.source}` });
    });
}

/** Both lists of a day. */
export function formatTopFive(top: TopFive): string {
  const byViews = formatTable(
    [
      { title: '#', align: 'right' },
      { title: 'video', align: 'right' },
      { title: 'title' },
      { title: 'views', align: 'right' },
    ],
    top.byViews.map((place) => [place.rank, place.videoId, place.title, place.views]),
  );
  const byPlayTime = formatTable(
    [
      { title: '#', align: 'right' },
      { title: 'video', align: 'right' },
      { title: 'title' },
      { title: 'play time', align: 'right' },
    ],
    top.byPlayTime.map((place) => [place.rank, place.videoId, place.title, formatDuration(place.playTimeSeconds)]),
  );
  return `${top.day}, by views\n${byViews}\n\n${top.day}, by play time\n${byPlayTime}`;
}

/** Seconds as hours, minutes and seconds, e.g. `1,234:05:09`. */
export function formatDuration(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600).toLocaleString('en-US');
  return `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
