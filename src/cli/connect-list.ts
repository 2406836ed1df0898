import { isSallyportError } from '../core/index.ts';
import { fileOf } from './connect-plan.ts';
import { serversIn } from './host-edit.ts';
import { ENTRY_NAME, looksLikeOurs } from './host-entry.ts';
import { HOSTS, type Host } from './host-table.ts';
import { answer, safeLines, type Terminal } from './output.ts';

type HostState = 'connected' | 'not connected' | 'no file' | 'another entry' | 'unreadable' | 'not on this platform';

interface Listed {
  readonly name: string;
  readonly title: string;
  readonly file: string | null;
  readonly state: HostState;
  readonly project: string | null;
}

/** `connect --list`: the hosts, the file of each and whether it leads here. Reads only. */
export function listHosts(terminal: Terminal): number {
  const hosts = HOSTS.map(look);
  const lines = hosts.map(({ name, state, file }) => `${name.padEnd(16)} ${state.padEnd(14)} ${file ?? ''}`);
  answer(
    terminal,
    hosts.map((host) => ({ ...host })),
    safeLines(lines.join('\n')),
  );
  return 0;
}

function look(host: Host): Listed {
  const common = { name: host.name, title: host.title, project: host.project };
  try {
    const { path, text } = fileOf(host, {});
    return { ...common, file: path, state: text === null ? 'no file' : stateOf(host, text) };
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    const state = error.code === 'CONNECT_HOST' ? 'not on this platform' : 'unreadable';
    return { ...common, file: null, state };
  }
}

function stateOf(host: Host, text: string): HostState {
  const entry = serversIn(host, text).get(ENTRY_NAME);
  if (entry === undefined) return 'not connected';
  return looksLikeOurs(host, entry) ? 'connected' : 'another entry';
}
