import { chmodSync, chownSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { SallyportError } from '../core/index.ts';
import type { EgressDoor } from './contract.ts';
import { makeAuthority } from './egress-authority.ts';
import { proxyVariables, trustVariables } from './egress-env.ts';
import { EGRESS_LIMITS, type EgressLimits } from './egress-limits.ts';
import { listenForSandbox } from './egress-listen.ts';
import type { EgressContext } from './egress-session.ts';
import { mintEgressToken } from './egress-token.ts';
import type { EgressSession, OpenEgress } from './parts.ts';

/** Node.js cannot run TypeScript inside: from source, the built files run. */
const BUILT = import.meta.url.endsWith('.ts') ? '../../dist/sandbox/' : './';
const builtFile = (name: string): string => realpathSync(fileURLToPath(new URL(`${BUILT}${name}`, import.meta.url)));

/** Longest path of a Unix socket (sockaddr_un). */
const MAX_SOCKET_PATH = 107;

interface EgressParts {
  readonly folder: string;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly limits?: Partial<EgressLimits>;
}

/**
 * Opens the door to the network of one sandbox: a proxy on a private Unix socket that speaks HTTP, CONNECT and SOCKS5, with a
 * token of its own. Each request and tunnel is judged before its name is looked up, dialled at an address that was judged, and
 * recorded once.
 *
 * @throws SallyportError SANDBOX_FAILED when the socket cannot be made
 */
export const openEgress: OpenEgress = async (door: EgressDoor, parts: EgressParts): Promise<EgressSession> => {
  try {
    return await open(door, parts);
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('SANDBOX_FAILED', 'the door to the network cannot be opened', { cause });
  }
};

async function open(
  door: EgressDoor,
  { folder: parent, owner, limits: given = {} }: EgressParts,
): Promise<EgressSession> {
  const [relay, preload] = [builtFile('relay.cjs'), builtFile('egress-preload.cjs')];
  const node = realpathSync(process.execPath);
  const limits = { ...EGRESS_LIMITS, ...given };
  const folder = makeFolder(parent, 'egress', owner);
  const path = join(folder, 'proxy.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new SallyportError('SANDBOX_FAILED', `the path of the proxy's socket has more than ${MAX_SOCKET_PATH} bytes`);
  }
  const authority = door.terminateTls ? await makeAuthority(limits.certificates) : null;
  const trust =
    authority === null ? null : writeTrust(parent, owner, [authority.certificate, ...(door.certificates ?? [])]);
  const ending = new AbortController();
  const token = mintEgressToken();
  const record = recorder(door, ending);
  const context = { door, limits, token, signal: ending.signal, record };
  const server = await listenForSandbox(context, authority, { path, owner });
  return {
    folder,
    runtime: [relay, preload, node, ...(trust === null ? [] : [trust.folder])],
    wrap: (argv) => [node, relay, path, preload, '--', ...argv],
    env: { ...proxyVariables(token), ...trust?.variables },
    async close() {
      ending.abort();
      await new Promise<void>((done) => void server.close(() => done()));
      for (const made of [folder, trust?.folder])
        if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

/** What cannot be recorded ends the session. */
function recorder(door: EgressDoor, ending: AbortController): EgressContext['record'] {
  return (event) => {
    try {
      door.record(Object.freeze(event));
    } catch (error) {
      ending.abort(error);
    }
  };
}

/** A new folder, for its owner only. */
function makeFolder(parent: string, name: string, owner: EgressParts['owner']): string {
  const folder = join(realpathSync(parent), name);
  mkdirSync(folder, { mode: 0o700 });
  chmodSync(folder, 0o700);
  if (owner !== null) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

function writeTrust(
  parent: string,
  owner: EgressParts['owner'],
  authorities: readonly string[],
): { readonly folder: string; readonly variables: Record<string, string> } {
  const folder = makeFolder(parent, 'authorities', null);
  const own = join(folder, 'session.pem');
  const bundle = join(folder, 'all.pem');
  const [session = ''] = authorities;
  writeFileSync(own, `${session}\n`, { mode: 0o444 });
  writeFileSync(bundle, `${[...rootCertificates, ...authorities].join('\n')}\n`, { mode: 0o444 });
  // Certificates are no secret, and whoever runs inside may read but not change them.
  chmodSync(folder, owner === null ? 0o700 : 0o755);
  return { folder, variables: trustVariables(own, bundle) };
}
