import type { JsonValue } from '../core/index.ts';
import { SallyportError } from '../core/index.ts';
import { localUser, TokenFolder } from '../keeper/index.ts';
import { type ConnectTarget, isInside } from './connect-target.ts';
import { tokenIn } from './host-entry.ts';
import type { HostFile } from './host-file.ts';
import type { Host } from './host-table.ts';

const DEFAULT_ADDRESS = 'http://127.0.0.1:7332/mcp';

/** The address to write. @throws SallyportError USAGE for what is not https, or http on this machine, or has a user in it */
export function addressOf(given: string | true): string {
  const text = given === true ? DEFAULT_ADDRESS : given;
  const url = URL.canParse(text) ? new URL(text) : null;
  const loopback = url !== null && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  const usable = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback));
  if (
    !usable ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== '' ||
    /[$%]/.test(text)
  ) {
    throw new SallyportError(
      'USAGE',
      'the address is http on this machine or https, without user and query: --http http://127.0.0.1:7332/mcp',
    );
  }
  return url.href;
}

/** A token of a host: the one in the file if it is good, else a new one. */
export interface HostToken {
  readonly token: string;
  /** Takes a token back that was made for nothing. */
  revoke(): void;
}

interface TokenQuestion {
  readonly host: Host;
  readonly file: HostFile;
  /** What stands in the file under our name. */
  readonly entry: JsonValue | undefined;
  readonly target: ConnectTarget;
  /** Make nothing: give a word of the same shape. */
  readonly dryRun: boolean;
}

/** @throws SallyportError CONNECT_TOKEN when the file lies where tools can reach it, or the name of the token is taken */
export function tokenFor({ host, file, entry, target, dryRun }: TokenQuestion): HostToken {
  const folder = target.reachable.find((one) => isInside(file.real, one));
  if (folder !== undefined) {
    throw new SallyportError('CONNECT_TOKEN', `${file.real} lies inside ${folder}, and a token must not lie there`);
  }
  const tokens = new TokenFolder(target.state);
  const present = tokenIn(entry);
  if (present !== null && tokens.find(present)?.name === host.name) return { token: present, revoke: nothing };
  if (tokens.list().some(({ name }) => name === host.name)) {
    const why = `a token named ${host.name} exists already: sallyport token revoke ${host.name}, if nobody needs it`;
    throw new SallyportError('CONNECT_TOKEN', why);
  }
  if (dryRun) return { token: `sp_${'-'.repeat(43)}`, revoke: nothing };
  const token = tokens.add({ name: host.name, user: localUser(), now: Date.now() });
  return { token, revoke: () => void tokens.revoke(host.name) };
}

const nothing = (): void => undefined;
