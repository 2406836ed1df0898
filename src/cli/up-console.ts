import { ConsoleToken, openConsole, openNotices } from '../console/index.ts';
import { isSallyportError, SallyportError } from '../core/index.ts';
import { joinKeeper, type Keeper } from '../keeper/index.ts';
import { readPrivate } from './operator-key.ts';
import { safeLines, type Terminal } from './output.ts';

export interface ConsoleFlags {
  readonly consolePort?: string;
  /** False: `--no-console`. */
  readonly console?: boolean;
  readonly notify?: string;
  readonly notifySecret?: string;
  readonly printCodes?: boolean;
}

/** What `up` serves for the people who answer. */
export interface UpConsole {
  /** The address of the page with its token behind the #; null: it is off. */
  readonly address: string | null;
  /** The address without the token, which anybody may see. */
  readonly url: string | null;
  /** A client presented this text as its token. */
  presentedAsToken(token: string): void;
  close(): Promise<void>;
}

const DEFAULT_PORT = '7333';

/** The port; null: no console. @throws SallyportError USAGE */
export function portOf({
  console,
  consolePort = DEFAULT_PORT,
}: Pick<ConsoleFlags, 'console' | 'consolePort'>): number | null {
  const port = /^[0-9]{1,5}$/.test(consolePort) ? Number(consolePort) : -1;
  if (port < 0 || port > 65_535) throw new SallyportError('USAGE', 'a port is a number from 0 to 65535');
  return console === false || port === 0 ? null : port;
}

/** @throws SallyportError USAGE, before anything is opened */
export function checkConsoleFlags(flags: ConsoleFlags): void {
  portOf(flags);
  if ((flags.notify === undefined) === (flags.notifySecret === undefined)) return;
  throw new SallyportError('USAGE', '--notify and --notify-secret go together');
}

/**
 * Prints one-time codes where a person sits, and nowhere else: whoever reads a code makes an operator.
 * `--print-codes`: the operator says that standard error is theirs alone.
 */
export function codePrinter(
  terminal: Terminal,
  { printCodes = false }: Pick<ConsoleFlags, 'printCodes'>,
): { readonly onOperatorCode?: (code: string) => void } {
  if (!printCodes && process.stderr.isTTY !== true) return {};
  return {
    onOperatorCode: (code) =>
      terminal.err(`sallyport: one-time code for a credential of an operator, good for ten minutes: ${code}`),
  };
}

/** Opens console and notices over a connection of an operator, which asks for no call. */
export async function openUpConsole(terminal: Terminal, state: string, flags: ConsoleFlags): Promise<UpConsole> {
  const port = portOf(flags);
  if (port === null && flags.notify === undefined) return OFF;
  if ((process.env['SALLYPORT_KEEPER'] ?? '') !== '') {
    terminal.err(
      'sallyport: the console is off: answers belong to the operator of the keeper, which is another process',
    );
    return OFF;
  }
  const keeper = await joinKeeper({ state, reachable: [], role: 'operator', ...codePrinter(terminal, flags) });
  try {
    return await serve(terminal, { keeper, state, port, flags });
  } catch (error) {
    await keeper.close('the console could not be opened');
    throw error;
  }
}

const OFF: UpConsole = { address: null, url: null, presentedAsToken: () => undefined, close: async () => undefined };

interface Parts {
  readonly keeper: Keeper;
  readonly state: string;
  readonly port: number | null;
  readonly flags: ConsoleFlags;
}

async function serve(terminal: Terminal, { keeper, state, port, flags }: Parts): Promise<UpConsole> {
  const token = ConsoleToken.keptIn(state);
  const say = (line: string): void => terminal.err(`sallyport: ${safeLines(line)}`);
  const onError = (error: unknown): void => say(String(error));
  const isDefault = (flags.consolePort ?? DEFAULT_PORT) === DEFAULT_PORT;
  const console =
    port === null
      ? null
      : await openConsole({ keeper, token, port, onError }).catch((error: unknown) => {
          // Another `up` on this machine has it; where a port was named, it has to be that one.
          if (!isDefault || !isSallyportError(error, 'PORT_IN_USE')) throw error;
          say(`the console is off: ${error.message}; name another one with --console-port`);
          return null;
        });
  const notices =
    flags.notify === undefined || flags.notifySecret === undefined
      ? null
      : openNotices({
          ...{ keeper, url: flags.notify, secret: readPrivate(flags.notifySecret).trim() },
          ...{ console: console?.url ?? null, onProblem: say },
        });
  return {
    url: console?.url ?? null,
    address: console === null ? null : `${console.url}#${token.text}`,
    presentedAsToken: (text) => token.presentedAsToken(text),
    close: async () => {
      await notices?.close();
      await console?.close();
      await keeper.close('the console ended');
    },
  };
}
