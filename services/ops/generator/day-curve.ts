/** Relative traffic of each hour of the Seoul day: a low at night, a rise at noon, a peak in the evening. */
const HOURLY_TRAFFIC = [34, 22, 14, 9, 7, 8, 14, 26, 34, 34, 35, 40, 50, 46, 42, 42, 46, 54, 66, 82, 96, 100, 88, 62];
const HOUR_MS = 3_600_000;
const STEPS = 4_096;

/** Instant of the day (ms) by which that fraction of the traffic has passed, at `STEPS + 1` equidistant fractions. */
const INVERSE = inverseOfCumulatedTraffic();

function inverseOfCumulatedTraffic(): Float64Array {
  const total = HOURLY_TRAFFIC.reduce((sum, traffic) => sum + traffic, 0);
  const inverse = new Float64Array(STEPS + 1);
  let hour = 0;
  let before = 0;
  for (let step = 0; step <= STEPS; step += 1) {
    const target = (step / STEPS) * total;
    while (hour < HOURLY_TRAFFIC.length - 1 && before + HOURLY_TRAFFIC[hour]! <= target) {
      before += HOURLY_TRAFFIC[hour]!;
      hour += 1;
    }
    inverse[step] = (hour + (target - before) / HOURLY_TRAFFIC[hour]!) * HOUR_MS;
  }
  return inverse;
}

/**
 * The instant of the day, in whole milliseconds from 0 to 86,399,999, by which that fraction of the traffic has passed.
 * @param fraction in [0, 1); ascending fractions give ascending instants
 */
export function timeOfDayMs(fraction: number): number {
  const position = fraction * STEPS;
  const step = Math.min(STEPS - 1, Math.floor(position));
  const low = INVERSE[step]!;
  return Math.min(24 * HOUR_MS - 1, Math.floor(low + (position - step) * (INVERSE[step + 1]! - low)));
}
