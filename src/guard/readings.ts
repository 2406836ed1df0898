import { type BlobBudget, openBlobs } from './blobs.ts';
import { decodeReading } from './decode.ts';
import type { GuardLimits } from './guard-limits.ts';
import type { Reader } from './reader.ts';
import type { Reading } from './reading.ts';
import { readLeet, readSpaced } from './spelling.ts';
import { type Survey, surveyText } from './survey.ts';

/** All readings of a text, and whether some of it was left unread for being too much. */
export interface Readings {
  readonly readings: readonly Reading[];
  readonly leftUnread: boolean;
}

/** Opens every encoding of a text, at most `limits.decodeDepth` deep. */
export function openReadings(text: string, reader: Reader, limits: GuardLimits): Readings {
  const budget: BlobBudget = { blobs: limits.blobs, length: limits.decodedLength };
  const readings: Reading[] = [];
  let layer: Reading[] = [{ text, offsets: null, within: null, origin: 'text', depth: 0 }];
  for (let depth = 0; depth <= limits.decodeDepth && layer.length > 0; depth++) {
    const next: Reading[] = [];
    for (const source of layer) {
      const { reading, smuggled } = decodeReading(source, limits.decodeDepth);
      const survey = surveyText(reading.text);
      readings.push(reading, ...respelled(reading, survey, reader));
      for (const { text: hidden, start, end, origin } of smuggled) {
        readings.push({
          text: hidden,
          offsets: null,
          within: source.within ?? { start, end },
          origin,
          depth: depth + 1,
        });
      }
      next.push(...openBlobs(reading, survey.runs, budget));
    }
    layer = next;
  }
  return { readings, leftUnread: budget.blobs < 0 };
}

function respelled(reading: Reading, { mayBeLeet, maySpaced }: Survey, { lexicon }: Reader): Reading[] {
  const found: Reading[] = [];
  const leet = mayBeLeet ? readLeet(reading, lexicon) : null;
  if (leet !== null) found.push(leet);
  const spaced = maySpaced ? readSpaced(reading) : null;
  if (spaced !== null) {
    found.push(spaced);
    const both = readLeet(spaced, lexicon);
    if (both !== null) found.push(both);
  }
  return found;
}
