import { canonicalJson, type Limits, parseStrictJson, SallyportError } from '../core/index.ts';
import { FRAME_DEPTH } from './json-rpc.ts';

/** Events of one stream: more than that is a flood. */
const MAX_EVENTS = 10_000;

/**
 * Reads a server-sent event stream (WHATWG HTML, section 9.2) and writes it again with nothing but strict JSON in it, so
 * that the reader behind it sees exactly what was checked. Comments, ids and retry times are dropped.
 * ATTACKER-CONTROLLED: every byte.
 */
export function strictEvents(limits: Limits): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  const lines = lineSplitter();
  let data: string[] = [];
  let held = 0;
  let events = 0;
  return new TransformStream({
    transform: (chunk, controller) => {
      for (const line of lines.push(decode(() => decoder.decode(chunk, { stream: true })))) {
        if (line.startsWith('data:')) {
          data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
          held += line.length;
        } else if (line === '') {
          const text = data.join('\n');
          events += 1;
          if (text.trim() !== '')
            controller.enqueue(encoder.encode(`event: message\ndata: ${strictText(text, limits)}\n\n`));
          data = [];
          held = 0;
        }
      }
      if (lines.waiting() + held > limits.resultBinaryBytes || events > MAX_EVENTS) {
        throw new SallyportError('RESULT_TOO_LARGE', 'the server sent more than its limit');
      }
    },
  });
}

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

/** Strict JSON text, rewritten. @throws SallyportError RESULT_MALFORMED */
export function strictText(text: string, limits: Limits): string {
  try {
    const bounds = { maxBytes: limits.resultBinaryBytes, maxDepth: limits.argumentDepth + FRAME_DEPTH };
    return canonicalJson(parseStrictJson(text, bounds));
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
