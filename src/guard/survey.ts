import type { Span } from './reading.ts';

/** What one look at a text finds that deserves a reading of its own. */
export interface Survey {
  /** Long runs of base64 or hex characters; a run goes on over line breaks between long lines. */
  readonly runs: readonly Span[];
  /** Words have digits between letters, several times. */
  readonly mayBeLeet: boolean;
  /** Many single characters stand apart. */
  readonly maySpaced: boolean;
}

/** Shortest run of base64 or hex that is opened. */
const RUN_LENGTH = 24;
/** Words with a digit between letters that make a text worth reading as leet. */
const LEET_WORDS = 3;
/** Single characters in a row that make a text worth drawing together. */
const SPACED_CHARACTERS = 8;

/** Character classes: 1 lower, 2 upper, 4 digit, 8 other base64, 16 separator of spaced text. */
const CLASSES: Uint8Array = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  if (code >= 97 && code <= 122) CLASSES[code] = 1;
  else if (code >= 65 && code <= 90) CLASSES[code] = 2;
  else if (code >= 48 && code <= 57) CLASSES[code] = 4;
}
for (const sign of '+/=') CLASSES[sign.charCodeAt(0)] = 8;
for (const sign of '-_') CLASSES[sign.charCodeAt(0)] = 8 | 16;
for (const sign of ' .*|') CLASSES[sign.charCodeAt(0)] = 16;

/** Looks once over a text. */
export function surveyText(text: string): Survey {
  const runs: Span[] = [];
  let run = 0;
  let line = 0;
  let leet = 0;
  let apart = 0;
  let maySpaced = false;
  let beforeLast = 0;
  let last = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 0;
    const kind = code < 128 ? (CLASSES[code] ?? 0) : 1;
    // Most characters are lower-case letters behind others.
    if (kind === 1 && last === 1 && code < 128) {
      beforeLast = 1;
      continue;
    }
    if (last === 4 && kind === 1 && beforeLast === 1) leet += 1;
    // A character counts as standing apart when separators stand on both sides.
    if ((kind & 16) !== 0) {
      if ((last & 7) !== 0) apart = (beforeLast & 7) === 0 ? apart + 1 : 0;
      if (apart >= SPACED_CHARACTERS) maySpaced = true;
    } else if (kind === 0) apart = 0;
    if ((kind & 15) === 0 || code >= 128) {
      const isWrap = (code === 10 || code === 13) && at - line >= RUN_LENGTH && last !== 8;
      if (isWrap && isEncoded(text, at, code)) line = at + 1;
      else {
        if (at - run >= RUN_LENGTH) runs.push({ start: run, end: at });
        run = at + 1;
        line = run;
      }
    }
    beforeLast = last;
    last = kind;
  }
  return { runs, mayBeLeet: leet >= LEET_WORDS, maySpaced };
}

function isEncoded(text: string, at: number, code: number): boolean {
  const next = code === 13 && text.charCodeAt(at + 1) === 10 ? at + 2 : at + 1;
  const following = text.charCodeAt(next);
  return following < 128 && ((CLASSES[following] ?? 0) & 15) !== 0;
}
