import { SallyportError } from '../core/index.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration as people write it: `90s`, `10m`, `2h`, `1d`. @throws SallyportError USAGE */
export function readDuration(text: string): number {
  const [, count, unit] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) {
    throw new SallyportError('USAGE', 'a duration is a number and s, m, h or d');
  }
  return Number(count) * UNITS[unit];
}
