import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { isJsonObject, type JsonValue, jsonForTerminal, SallyportError } from '../core/index.ts';
import { createGuard, type Finding, type Guard, type Inspection, type TextKind } from '../guard/index.ts';
import { answer, type Terminal } from './output.ts';

/** Flags of `sallyport guard scan`. */
export interface GuardScanFlags {
  readonly jsonl?: boolean;
  readonly kind?: string;
  readonly json?: boolean;
}

/** Bytes of a text, or of one line of JSON, that are read. */
const SCAN_BYTES = 67_108_864;

/**
 * Inspects a file or standard input: as one text (exit code 1 when it is quarantined or blocked), or with `--jsonl` line by line
 * (exit code 0 also with findings).
 *
 * @throws SallyportError USAGE, INPUT_TOO_LARGE
 */
export async function guardScan(terminal: Terminal, file: string | undefined, flags: GuardScanFlags): Promise<number> {
  const kind = parseKind(flags.kind ?? 'tool_output', 'the option --kind');
  const input = file === undefined || file === '-' ? process.stdin : createReadStream(file);
  const guard = createGuard();
  if (flags.jsonl === true) return scanLines(terminal, input, guard, kind);
  const inspection = guard.inspect(await readAll(input), { kind });
  const { verdict, score, findings } = inspection;
  answer(
    terminal,
    { verdict, injection: isInjection(inspection), score, findings: findings.map(plain) },
    render(inspection),
  );
  return isInjection(inspection) ? 1 : 0;
}

const isInjection = ({ verdict }: Inspection): boolean => verdict === 'quarantined' || verdict === 'blocked';

const plain = ({ id, start, end, score, why, origin, place }: Finding): JsonValue => ({
  id,
  start,
  end,
  score,
  why,
  origin,
  place,
});

const render = ({ verdict, score, findings }: Inspection): string =>
  [
    `${verdict} (score ${score.toFixed(3)})`,
    ...findings.map(({ id, start, end, why, origin, place }) => {
      const how = [origin, place].filter((word) => word !== 'text' && word !== 'visible').join(', ');
      return `  ${start}-${end}  ${id}${how === '' ? '' : ` (${how})`}: ${why}`;
    }),
  ].join('\n');

const KINDS: readonly TextKind[] = ['tool_output', 'tool_description', 'user_prompt'];

function parseKind(value: unknown, where: string): TextKind {
  const kind = KINDS.find((each) => each === value);
  if (kind === undefined) throw new SallyportError('USAGE', `${where} is one of ${KINDS.join(', ')}`);
  return kind;
}

async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of opened(input)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > SCAN_BYTES) throw new SallyportError('INPUT_TOO_LARGE', `a text has at most ${SCAN_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* opened(input: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of input) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
  } catch (cause) {
    throw new SallyportError('USAGE', 'the file to scan cannot be read', { cause });
  }
}

async function scanLines(terminal: Terminal, input: Readable, guard: Guard, kind: TextKind): Promise<number> {
  let number = 0;
  for await (const line of linesOf(input)) {
    number += 1;
    if (line.trim() === '') continue;
    const { id, text, kind: own } = parseLine(line, number);
    const inspection = guard.inspect(text, {
      kind: own === undefined ? kind : parseKind(own, `"kind" of line ${number}`),
    });
    const { verdict, score, findings } = inspection;
    terminal.out(
      jsonForTerminal({ id, verdict, injection: isInjection(inspection), score, findings: findings.map(plain) }),
    );
  }
  return 0;
}

/** Lines end with a line feed and nothing else: a line separator of Unicode may stand in a string of JSON. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of opened(input)) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, end)]).toString('utf8');
      [pieces, bytes, from] = [[], 0, end + 1];
    }
    pieces.push(chunk.subarray(from));
    bytes += chunk.length - from;
    // ATTACKER-CONTROLLED: a line need not end.
    if (bytes > SCAN_BYTES) throw new SallyportError('INPUT_TOO_LARGE', `a line has at most ${SCAN_BYTES} bytes`);
  }
  yield Buffer.concat(pieces).toString('utf8');
}

interface ScanLine {
  readonly id: JsonValue;
  readonly text: string;
  readonly kind?: unknown;
}

function parseLine(line: string, number: number): ScanLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new SallyportError('USAGE', `line ${number} is no JSON`, { cause });
  }
  if (!isJsonObject(value) || typeof value['text'] !== 'string') {
    throw new SallyportError('USAGE', `line ${number} is no object with a "text"`);
  }
  const { id = null, text, kind } = value;
  return { id, text, ...(kind === undefined ? {} : { kind }) };
}
