import { parseKstDay } from '#domain';
import { type GenerateInput, parseGenerateRequest } from '../../../services/ops/generator/request.js';

const TODAY = parseKstDay('2026-03-02');
const INPUT: GenerateInput = { day: '2026-03-01', events: '1000', videos: '95', seed: '1' };

describe('arguments of generate', () => {
  test('have one creator for ten videos unless said otherwise, and at least one', () => {
    expect(parseGenerateRequest(INPUT, TODAY)).toEqual({
      day: '2026-03-01',
      events: 1_000,
      videos: 95,
      creators: 9,
      seed: 1,
    });
    expect(parseGenerateRequest({ ...INPUT, videos: '3' }, TODAY).creators).toBe(1);
    expect(parseGenerateRequest({ ...INPUT, creators: '95' }, TODAY).creators).toBe(95);
    expect(parseGenerateRequest({ ...INPUT, day: TODAY }, TODAY).day).toBe(TODAY);
  });

  test.each([
    ['--events', { events: '0' }],
    ['--events', { events: '1e6' }],
    ['--events', { events: '1000000001' }],
    ['--events', { events: '-5' }],
    ['--videos', { videos: '0' }],
    ['--videos', { videos: '1.5' }],
    ['--videos', { videos: '' }],
    ['--creators', { creators: '96' }],
    ['--creators', { creators: '0' }],
    ['--seed', { seed: '4294967296' }],
    ['--seed', { seed: 'abc' }],
    ['--day', { day: '2026-03-03' }],
    ['--day', { day: '2019-12-31' }],
  ])('are refused naming the option: %s %j', (option, change) => {
    expect(() => parseGenerateRequest({ ...INPUT, ...change }, TODAY)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`${option}: `) }),
    );
  });

  test('are refused with a day that does not exist', () => {
    expect(() => parseGenerateRequest({ ...INPUT, day: '2026-02-29' }, TODAY)).toThrow(
      expect.objectContaining({ code: 'INVALID_DAY', field: '--day' }),
    );
  });
});
