import {
  canonicalJson,
  isJsonObject,
  type JsonValue,
  type Limits,
  parseStrictJson,
  SallyportError,
} from '../core/index.ts';
import { FRAME_DEPTH } from './json-rpc.ts';
import { newMarks, readMark, type StreamMarks } from './resumed-stream.ts';
import { type Allowance, connectionAllowance } from './upstream-allowance.ts';

/**
 * Reads a server-sent event stream (WHATWG HTML, section 9.2) and writes it again with nothing but strict JSON in it, so
 * that the reader behind it sees exactly what was checked. Comments are dropped; ids and retry times are put down in `marks`.
 * ATTACKER-CONTROLLED: every byte; each counts against `allowance`, that of the connection the stream belongs to.
 */
export function strictEvents(
  limits: Limits,
  allowance: Pick<Allowance, 'heard'> = connectionAllowance(limits.resultBinaryBytes),
  marks: StreamMarks = newMarks(),
): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  const lines = lineSplitter();
  let data: string[] = [];
  let held = 0;
  // Counts once its event is whole.
  let { lastEventId } = marks;
  const mark = (line: string): void => {
    const read = readMark(line);
    if (read === null) return;
    if ('id' in read) lastEventId = read.id;
    else marks.retryMs = read.retryMs;
  };
  return new TransformStream({
    transform: (chunk, controller) => {
      for (const line of lines.push(decode(() => decoder.decode(chunk, { stream: true })))) {
        if (line.startsWith('data:')) {
          data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
          held += line.length;
        } else if (line === '') {
          const text = data.join('\n');
          const strict = text.trim() === '' ? null : strictJson(text, limits);
          allowance.heard(held + 1, strict);
          marks.lastEventId = lastEventId;
          if (strict !== null) {
            marks.messages += 1;
            marks.isAnswered ||= [strict].flat().some(isResponse);
            controller.enqueue(encoder.encode(`event: message\ndata: ${canonicalJson(strict)}\n\n`));
          }
          data = [];
          held = 0;
        } else {
          allowance.heard(line.length + 1, null);
          mark(line);
        }
      }
      if (lines.waiting() + held > limits.resultBinaryBytes) {
        throw new SallyportError('RESULT_TOO_LARGE', 'the server sent more than its limit');
      }
    },
  });
}

const isResponse = (message: JsonValue): boolean => isJsonObject(message) && message['method'] === undefined;

/** Lines end with CR, LF or both, also where a chunk ends between the two. Looks at every character once. */
function lineSplitter(): { push(text: string): string[]; waiting(): number } {
  let parts: string[] = [];
  let length = 0;
  let endedWithReturn = false;
  const push = (given: string): string[] => {
    const text = endedWithReturn && given.startsWith('\n') ? given.slice(1) : given;
    endedWithReturn = given.endsWith('\r');
    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    parts.push(first);
    length += first.length;
    if (others.length === 0) return [];
    const lines = [parts.join(''), ...others];
    const rest = lines.pop() ?? '';
    parts = [rest];
    length = rest.length;
    return lines;
  };
  return { push, waiting: () => length };
}

/** What strict JSON text says. @throws SallyportError RESULT_MALFORMED */
export function strictJson(text: string, limits: Limits): JsonValue {
  try {
    const bounds = { maxBytes: limits.resultBinaryBytes, maxDepth: limits.argumentDepth + FRAME_DEPTH };
    return parseStrictJson(text, bounds);
  } catch (cause) {
    throw new SallyportError('RESULT_MALFORMED', 'the server sent no message of the protocol', { cause });
  }
}

function decode(read: () => string): string {
  try {
    return read();
  } catch (cause) {
    throw new SallyportError('RESULT_MALFORMED', 'the server sent bytes that are not UTF-8', { cause });
  }
}
