/** Words that people make passwords of: each is worth what its place in this list is, not its letters. */
const WORDS = [
  'password',
  'passwort',
  'changeme',
  'qwertyuiop',
  'asdfghjkl',
  'qwerty',
  'letmein',
  'welcome',
  'default',
  'example',
  'administrator',
  'admin',
  'secret',
  'master',
  'monkey',
  'dragon',
  'summer',
  'winter',
  'spring',
  'autumn',
  'hello',
  'world',
  'login',
  'token',
  'sample',
  'dummy',
  'guest',
  'root',
  'user',
  'test',
  'pass',
  'key',
];
const WORD_BITS = 5;

/**
 * How many bits a value is worth to somebody who guesses, estimated low: each character counts as one of the kinds of
 * characters in the value, but a repetition, a step of a sequence (`abc`, `321`) and everything after the first period of
 * a value that repeats itself count as one bit, and a common word counts as five. A value that a person thought up can be
 * worth less than this says.
 */
export function estimateBits(value: string): number {
  const { rest, words } = withoutWords(period(value));
  const perCharacter = Math.log2(poolOf(rest));
  let bits = words * WORD_BITS;
  for (let at = 0; at < rest.length; at++) bits += isStep(rest, at) ? 1 : perCharacter;
  return bits;
}

/** The shortest text that makes up the value when it is written again and again; the value itself where there is none. */
function period(value: string): string {
  const at = `${value}${value}`.indexOf(value, 1);
  return at < 1 || at >= value.length ? value : value.slice(0, at);
}

function withoutWords(value: string): { rest: string; words: number } {
  let rest = value;
  let words = 0;
  for (const word of WORDS) {
    const at = rest.toLowerCase().indexOf(word);
    if (at < 0) continue;
    rest = rest.slice(0, at) + rest.slice(at + word.length);
    words++;
  }
  return { rest, words };
}

function isStep(text: string, at: number): boolean {
  if (at === 0) return false;
  const distance = text.charCodeAt(at) - text.charCodeAt(at - 1);
  return distance >= -1 && distance <= 1;
}

const KINDS: readonly (readonly [RegExp, number])[] = [
  [/[g-z]/, 20],
  [/[a-f]/, 6],
  [/[G-Z]/, 20],
  [/[A-F]/, 6],
  [/[0-9]/, 10],
  [/[ -/:-@[-`{-~]/, 16],
  [/[^ -~]/, 32],
];

/** How many characters the value seems to be drawn from; hexadecimal values count 16. */
const poolOf = (value: string): number =>
  Math.max(
    2,
    KINDS.reduce((sum, [kind, size]) => sum + (kind.test(value) ? size : 0), 0),
  );
