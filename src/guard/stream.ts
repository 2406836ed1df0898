import { type Finding, type Guard, type InspectOptions, type Verdict, WITHHELD } from './inspect.ts';

/** A part of a stream that passed, with what was found in it; offsets count from the beginning of the stream. */
export interface StreamPart {
  readonly text: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}

/** Inspects a text that comes in chunks. What it says depends on the text alone, not on where the chunks end. */
export interface GuardStream {
  /** Takes a chunk; returns the parts that are ready. Nothing is returned before it was inspected with what follows it. */
  push(chunk: string): StreamPart[];
  /** The rest. */
  end(): StreamPart[];
  /** The worst verdict so far. */
  readonly verdict: Verdict;
}

/** A part is cut at the last line end between these two lengths, else at a space, else where it must. */
const PART_LENGTH = 16_384;
const PART_LIMIT = 32_768;
/** Characters of the part before that are read again with the next, so that a passage on the edge is seen. */
const OVERLAP = 4_096;
/** Places before a hard cut where a token or an escape may have begun. */
const TOKEN_LENGTH = 64;

const SEVERITY: readonly Verdict[] = ['pass', 'sanitised', 'quarantined', 'blocked'];

const worse = (one: Verdict, other: Verdict): Verdict =>
  SEVERITY.indexOf(one) >= SEVERITY.indexOf(other) ? one : other;

/** A stream that stops delivering with its first hostile part: that part and all later ones are withheld. */
export function guardStream(guard: Guard, options: InspectOptions = {}): GuardStream {
  let waiting = '';
  let before = '';
  let offset = 0;
  let verdict: Verdict = 'pass';
  const take = (length: number): StreamPart => {
    const part = waiting.slice(0, length);
    const told = inspectPart(guard, before, part, options);
    const isWithheld = SEVERITY.indexOf(verdict) >= 2;
    verdict = worse(verdict, told.verdict);
    const findings = told.findings.map((finding) => shift(finding, offset - before.length));
    const text = isWithheld ? '' : told.text;
    before = (before + part).slice(-OVERLAP);
    offset += length;
    waiting = waiting.slice(length);
    return { text, verdict: isWithheld ? verdict : told.verdict, findings };
  };
  return {
    push: (chunk) => {
      waiting += chunk;
      const parts: StreamPart[] = [];
      while (waiting.length >= PART_LIMIT) parts.push(take(partLength(waiting)));
      return parts;
    },
    end: () => (waiting === '' ? [] : [take(waiting.length)]),
    get verdict() {
      return verdict;
    },
  };
}

function partLength(waiting: string): number {
  const line = waiting.lastIndexOf('\n', PART_LIMIT - 1);
  if (line >= PART_LENGTH) return line + 1;
  const space = waiting.lastIndexOf(' ', PART_LIMIT - 1);
  if (space >= PART_LENGTH) return space + 1;
  for (let at = PART_LIMIT - 1; at > PART_LIMIT - TOKEN_LENGTH; at--) {
    if ('<[\u001b'.includes(waiting[at] ?? ' ')) return at;
  }
  return /[\ud800-\udbff]/.test(waiting[PART_LIMIT - 1] ?? '') ? PART_LIMIT - 1 : PART_LIMIT;
}

function inspectPart(guard: Guard, before: string, part: string, options: InspectOptions): StreamPart {
  const alone = guard.inspect(part, options);
  if (before === '' || alone.verdict === 'blocked')
    return alone.verdict === 'quarantined' ? withheld(alone.findings) : alone;
  const together = guard.inspect(before + part, options);
  const isHostile =
    alone.verdict === 'quarantined' || together.verdict === 'quarantined' || together.verdict === 'blocked';
  const findings = together.findings.filter(({ end }) => end > before.length);
  return isHostile ? withheld(findings) : { text: alone.text, verdict: alone.verdict, findings };
}

const withheld = (findings: readonly Finding[]): StreamPart => ({ text: WITHHELD, verdict: 'quarantined', findings });

const shift = (finding: Finding, by: number): Finding => ({
  ...finding,
  start: finding.start + by,
  end: finding.end + by,
});
