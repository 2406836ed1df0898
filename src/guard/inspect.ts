import { DEFAULT_GUARD_LIMITS, type GuardLimits } from './guard-limits.ts';
import { type Passage, readPassages } from './passages.ts';
import { createReader, type Reader } from './reader.ts';
import { type Origin, originalSpan, type Span } from './reading.ts';
import { openReadings } from './readings.ts';
import { type Change, type SanitiseOptions, sanitise } from './sanitise.ts';
import type { Place } from './sentence.ts';

/** Where a text comes from: what counts as suspicious differs. */
export type TextKind = 'tool_output' | 'tool_description' | 'user_prompt';

/** What the guard did: nothing, cleaned, withheld as hostile, or refused to read. */
export type Verdict = 'pass' | 'sanitised' | 'quarantined' | 'blocked';

/** Something that the guard saw: which rule, where in the original (UTF-16 offsets), how much it weighs (0 to 1), and why. */
export interface Finding extends Span {
  readonly id: string;
  readonly score: number;
  readonly why: string;
  /** How it was written. */
  readonly origin: Origin;
  /** Where it stood: seen by a person, or only by a machine. */
  readonly place: Place;
}

/** The answer of a trained tier: a score from 0 to 1 (0.5: hostile) and the parts of the text that it rests on. */
export interface TierScore {
  readonly score: number;
  readonly spans: readonly Span[];
}

/** A further judge beside the rules: deterministic, without network. Its model is named in every finding. */
export interface Tier {
  readonly modelId: string;
  judge(text: string, kind: TextKind): TierScore;
}

/** How to inspect. */
export interface InspectOptions extends SanitiseOptions {
  readonly kind?: TextKind;
}

/** The verdict on a text, and the text that may be delivered: hostile passages are cut out of it. */
export interface Inspection {
  readonly verdict: Verdict;
  readonly text: string;
  readonly findings: readonly Finding[];
  /** From 0 to 1; 0.5 and more is hostile. */
  readonly score: number;
}

/** What a guard is made with. */
export interface GuardOptions {
  readonly limits?: Partial<GuardLimits>;
  readonly tiers?: readonly Tier[];
}

/** The guard on everything that comes back. Pure: the same text gets the same verdict. */
export interface Guard {
  inspect(text: string, options?: InspectOptions): Inspection;
}

/** Weight at which a passage is hostile. From the false-positive budget: 1 % on benign tool output (docs/guard.md). */
const HOSTILE: Readonly<Record<TextKind, number>> = Object.freeze({
  tool_output: 2.65,
  tool_description: 2.65,
  user_prompt: 3.2,
});

/** A guard with its word lists and rules. Making one takes some milliseconds; it has no state. */
export function createGuard({ limits = {}, tiers = [] }: GuardOptions = {}): Guard {
  const reader = createReader();
  const bounds: GuardLimits = { ...DEFAULT_GUARD_LIMITS, ...limits };
  return { inspect: (text, options = {}) => inspect(text, options, { reader, limits: bounds, tiers }) };
}

interface Parts {
  readonly reader: Reader;
  readonly limits: GuardLimits;
  readonly tiers: readonly Tier[];
}

function inspect(text: string, options: InspectOptions, parts: Parts): Inspection {
  const { limits } = parts;
  if (text.length > limits.textLength) return blocked('too-long', `longer than ${limits.textLength} characters`, text);
  const seen = look(text, options.kind ?? 'tool_output', parts);
  if (seen.leftUnread) return blocked('too-much-encoded', 'has more encoded text than is opened', text);
  const clean = sanitise(text, options);
  const changes = clean.changes.map(changeFinding);
  const findings = [...seen.findings, ...changes].slice(0, limits.findings);
  if (seen.hostile.length === 0) {
    const verdict = clean.text === text ? 'pass' : 'sanitised';
    return { verdict, text: clean.text, findings, score: seen.score };
  }
  const rest = seen.hostile.length > limits.passages ? WITHHELD : cutOut(text, seen.hostile, options, parts);
  return { verdict: 'quarantined', text: rest, findings, score: seen.score };
}

function blocked(id: string, why: string, text: string): Inspection {
  const finding: Finding = { id, start: 0, end: text.length, score: 1, why, origin: 'text', place: 'visible' };
  return { verdict: 'blocked', text: '', findings: [finding], score: 1 };
}

interface Seen {
  readonly hostile: readonly Span[];
  readonly findings: readonly Finding[];
  readonly score: number;
  readonly leftUnread: boolean;
}

function look(text: string, kind: TextKind, { reader, limits, tiers }: Parts): Seen {
  const { readings, leftUnread } = openReadings(text, reader, limits);
  const bar = HOSTILE[kind];
  const hostile: Span[] = [];
  const findings: Finding[] = [];
  let score = 0;
  for (const reading of readings) {
    // What is that hostile is withheld as a whole: the rest would say nothing new.
    if (hostile.length > limits.passages) break;
    for (const passage of readPassages(reading, reader)) {
      score = Math.max(score, normalise(passage.score, bar));
      if (passage.score < bar || hostile.length > limits.passages) continue;
      hostile.push({ start: passage.start, end: passage.end });
      findings.push(...passageFindings(passage, bar));
    }
  }
  for (const { modelId, judge } of tiers) {
    const told = judge(text, kind);
    score = Math.max(score, told.score);
    if (told.score < 0.5) continue;
    hostile.push(...told.spans);
    findings.push(...told.spans.map((span) => tierFinding(modelId, told.score, span)));
  }
  return {
    hostile: hostile.length > limits.passages ? hostile : merge(hostile),
    findings: distinct(findings),
    score,
    leftUnread,
  };
}

/** A weight as a score from 0 to 1 that is 0.5 at the bar. */
const normalise = (weight: number, bar: number): number => Math.round((1000 * weight) / (weight + bar)) / 1000;

function passageFindings({ cues, reading, place, start, end, score }: Passage, bar: number): Finding[] {
  const { origin } = reading;
  const whole = { id: 'injection', start, end, score: normalise(score, bar), origin, place };
  const parts = cues.map(({ id, weight, why, ...cue }) => {
    return { ...originalSpan(reading, cue.start, cue.end), id, score: normalise(weight, bar), why, origin, place };
  });
  return [{ ...whole, why: [...new Set(cues.map(({ why }) => why))].join('; ') }, ...parts];
}

const tierFinding = (modelId: string, score: number, { start, end }: Span): Finding => ({
  id: modelId,
  start,
  end,
  score,
  why: `the model ${modelId} takes it for an instruction`,
  origin: 'text',
  place: 'visible',
});

const WHY: Readonly<Record<Change['id'], string>> = Object.freeze({
  invisible: 'invisible characters were removed',
  control: 'control characters were removed',
  'terminal-escape': 'a terminal escape was removed',
  'template-token': 'a token of a chat template was made harmless',
  'data-url': 'an address that waits for data was made harmless',
  'active-link': 'a link that runs code was made harmless',
  'hidden-markup': 'markup that nobody sees was removed',
});

const changeFinding = ({ id, start, end }: Change): Finding => ({
  id,
  start,
  end,
  score: 0.1,
  why: WHY[id],
  origin: 'text',
  place: 'hidden',
});

function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ id, start, origin }) => {
    const key = `${id} ${start} ${origin}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Spans in order, those that touch joined. */
function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last === undefined || span.start > last.end) merged.push(span);
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
  }
  return merged;
}

/** What stands where a hostile passage stood. */
export const CUT_MARK = '[removed: instructions to the model]';

/** What is delivered when a text stays hostile after its passages were cut out. */
export const WITHHELD = '[withheld: this text gives instructions to the model]';

/** Rounds of cutting: what moves together may make a new passage. */
const CUT_ROUNDS = 3;

function cutOut(text: string, hostile: readonly Span[], options: InspectOptions, parts: Parts): string {
  let rest = text;
  let spans = hostile;
  for (let round = 0; round < CUT_ROUNDS; round++) {
    rest = withoutSpans(rest, spans);
    const clean = sanitise(rest, options).text;
    const seen = look(clean, options.kind ?? 'tool_output', parts);
    if (seen.hostile.length === 0) return clean;
    if (seen.hostile.length > parts.limits.passages) return WITHHELD;
    [rest, spans] = [clean, seen.hostile];
  }
  return WITHHELD;
}

function withoutSpans(text: string, spans: readonly Span[]): string {
  let result = '';
  let from = 0;
  for (const { start, end } of spans) {
    result += text.slice(from, start) + CUT_MARK;
    from = end;
  }
  return result + text.slice(from);
}
