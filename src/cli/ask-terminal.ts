import { openSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { ReadStream, WriteStream } from 'node:tty';
import { SallyportError } from '../core/index.ts';

/** The terminal of the person, whatever standard input is connected to. */
const TERMINAL = '/dev/tty';

/** Whether a person sits here: nothing that is piped in answers for them. */
export const isAttended = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * Asks one question on the terminal; anything but yes is no. Null: `signal` ended it first.
 * @throws SallyportError USAGE where nobody sits
 */
export async function askOnTerminal(question: string, signal?: AbortSignal): Promise<boolean | null> {
  if (!isAttended()) {
    throw new SallyportError('USAGE', 'nobody can be asked here: look at the output and run it again with --yes');
  }
  const [input, output] = [new ReadStream(openSync(TERMINAL, 'r')), new WriteStream(openSync(TERMINAL, 'w'))];
  const terminal = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => {
    terminal.once('close', () => resolve(''));
    terminal.once('SIGINT', () => terminal.close());
  });
  const onAbort = (): void => terminal.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const said = await Promise.race([terminal.question(question), ended]);
    return signal?.aborted === true ? null : /^y(es)?$/i.test(said.trim());
  } finally {
    signal?.removeEventListener('abort', onAbort);
    terminal.close();
    input.destroy();
    output.destroy();
  }
}
