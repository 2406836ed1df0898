/** What a program of awk does besides printing. */
export interface AwkFacts {
  readonly runs: boolean;
  readonly loads: boolean;
  /** It opens a file whose name is not written out. */
  readonly unknownFile: boolean;
  /** A slash that one awk takes for a division and another for the start of a regular expression. */
  readonly unclear: boolean;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** Longest program that is read, in characters. */
const MAX_PROGRAM = 16_384;

type Token = { readonly kind: 'string' | 'regex' | 'name' | 'number' | 'operator'; readonly text: string };

const TOKEN =
  /(?<space>(?:[ \t\r]|\\\n|#[^\n]*)+)|(?<string>"(?:[^"\\\n]|\\[\s\S])*")|(?<name>[A-Za-z_]\w*)|(?<number>\d[\w.]*|\.\d+)|(?<operator>\|\||\|&|&&|>>|[<>=!+\-*/%^]=|\+\+|--|\*\*|[\s\S])/y;
const REGEX = /\/(?:[^/\\\n[]|\\[\s\S]|\[\^?\]?(?:[^\]\\\n]|\\[\s\S])*\])*\//y;
const BEFORE_REGEX_WORDS: ReadonlySet<string> = new Set([
  'print',
  'printf',
  'return',
  'in',
  'case',
  'else',
  'do',
  'exit',
  'getline',
]);

function* tokensOf(program: string): Generator<Token> {
  let operandBefore = false;
  for (let at = 0; at < program.length; ) {
    if (program[at] === '/' && !operandBefore) {
      REGEX.lastIndex = at;
      const regex = REGEX.exec(program)?.[0];
      if (regex !== undefined) {
        at += regex.length;
        operandBefore = true;
        yield { kind: 'regex', text: regex };
        continue;
      }
    }
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(program)?.groups ?? {};
    const kind = (['space', 'string', 'name', 'number', 'operator'] as const).find((one) => groups[one] !== undefined);
    const text = (kind === undefined ? undefined : groups[kind]) ?? program.slice(at, at + 1);
    at += text.length;
    if (kind === 'space') continue;
    const token: Token = { kind: kind ?? 'operator', text };
    if (text !== '++' && text !== '--') operandBefore = isOperand(token);
    yield token;
  }
}

const isOperand = (token: Token): boolean =>
  token.kind === 'operator'
    ? /^[)\]$]$/.test(token.text)
    : !(token.kind === 'name' && BEFORE_REGEX_WORDS.has(token.text));

const isUnclearBefore = (token: Token | undefined): boolean =>
  token !== undefined && /^(?:getline|length|\$|\+\+|--|close|srand|rand|fflush)$/.test(token.text);

/** Reads a program of awk (POSIX, gawk, mawk): what it starts, loads, reads and writes. ATTACKER-CONTROLLED: `program`. */
export function readAwkProgram(program: string): AwkFacts {
  if (program.length > MAX_PROGRAM) {
    return { runs: false, loads: false, unknownFile: true, unclear: true, reads: [], writes: [] };
  }
  const tokens = [...tokensOf(program)];
  const facts = {
    runs: false,
    loads: false,
    unknownFile: false,
    unclear: false,
    reads: [] as string[],
    writes: [] as string[],
  };
  let printDepth: number | null = null;
  let depth = 0;
  tokens.forEach((token, index) => {
    if (token.kind === 'name') {
      if (token.text === 'system') facts.runs = true;
      if (token.text === 'ARGV' || token.text === 'ARGC') facts.loads = true;
      if (token.text === 'print' || token.text === 'printf') printDepth = depth;
      if (token.text === 'getline') noteGetline(tokens, index, facts);
    }
    if (token.text.startsWith('/') && token.kind !== 'string' && isUnclearBefore(tokens[index - 1]))
      facts.unclear = true;
    if (token.kind !== 'operator') return;
    if (token.text === '|' || token.text === '|&') facts.runs = true;
    if (token.text === '@' || token.text === '`') facts.loads = true;
    if (/^[({[]$/.test(token.text)) depth += 1;
    if (/^[)}\]]$/.test(token.text)) depth -= 1;
    if (/^[;\n}]$/.test(token.text)) printDepth = null;
    if (token.text === '>>' || (token.text === '>' && printDepth === depth))
      noteFile(tokens, index, facts, facts.writes);
  });
  return facts;
}

function noteGetline(tokens: readonly Token[], index: number, facts: { unknownFile: boolean; reads: string[] }): void {
  const end = tokens.findIndex((token, at) => at > index && /^(?:<|[;\n})|&]|&&|\|\|)$/.test(token.text));
  if (end >= 0 && tokens[end]?.text === '<') noteFile(tokens, end, facts, facts.reads);
}

/** The name behind `>`, `>>` or `<`: one string and nothing joined to it, or a file that is not known. */
function noteFile(tokens: readonly Token[], index: number, facts: { unknownFile: boolean }, into: string[]): void {
  const name = tokens[index + 1];
  const next = tokens[index + 2];
  const ends = next === undefined || (next.kind === 'operator' && /^[;\n})]$|^>|^==$|^&&$|^\|\|$/.test(next.text));
  if (name?.kind === 'string' && ends && !name.text.includes('\\')) into.push(name.text.slice(1, -1));
  else facts.unknownFile = true;
}
