import type { SecretReference } from '../../../core/index.ts';
import { type Clock, isSallyportError, SallyportError, systemClock } from '../../../core/index.ts';
import { failure, type ProvidedSecret, type SecretProvider } from '../../provider.ts';
import { type KvPlace, readKv, readPathOf } from './kv.ts';
import type { VaultAuth } from './login.ts';
import { encodePath, type VaultAnswer } from './request.ts';
import { objectIn, VaultFailure, VaultServer } from './server.ts';
import { VaultSession } from './session.ts';

export interface VaultOptions {
  /** https, or http on this machine; more than one for a cluster without a balancer. */
  readonly addresses: readonly string[];
  readonly auth: VaultAuth;
  /** Where the login is; secrets are read there too, where a reference names no namespace. */
  readonly namespace?: string;
  /** Mounts and the version of their KV engine, where the token may not ask the server. */
  readonly mounts?: ReadonlyMap<string, 1 | 2>;
  /** Certificates to trust instead of the system's, PEM. */
  readonly certificates?: string;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** `vault:MOUNT/PATH?version=N#field`: HashiCorp Vault or OpenBao, KV v2 and v1. */
export function vaultProvider(options: VaultOptions): SecretProvider {
  const vault = new Vault(options);
  return {
    scheme: 'vault',
    resolve: (reference, { signal }) => vault.read(reference, signal),
    close: () => vault.close(),
  };
}

class Vault {
  readonly #server: VaultServer;
  readonly #session: VaultSession;
  readonly #namespace: string | null;
  /** Mounts by namespace and path, as configured or as the server said. */
  readonly #mounts: Map<string, 1 | 2>;

  constructor(options: VaultOptions) {
    this.#server = new VaultServer(options.addresses, options);
    this.#namespace = options.namespace ?? null;
    const { auth, clock = systemClock } = options;
    this.#session = new VaultSession({ server: this.#server, auth, namespace: this.#namespace, clock });
    this.#mounts = new Map(
      [...(options.mounts ?? [])].map(([mount, version]) => [keyOf(this.#namespace, mount), version]),
    );
  }

  async read(reference: SecretReference, signal: AbortSignal): Promise<ProvidedSecret> {
    try {
      const place = this.#knownPlace(reference) ?? (await this.#findPlace(reference, signal));
      const answer = await this.#get(readPathOf(place, reference), reference, signal);
      return readKv(answer, place, reference);
    } catch (error) {
      signal.throwIfAborted();
      throw translated(error, reference);
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** A refused token may have ended or been revoked: one more try, with another one. */
  async #get(path: string, reference: SecretReference, signal: AbortSignal): Promise<VaultAnswer> {
    const namespace = reference.namespace ?? this.#namespace;
    const token = await this.#session.token();
    const answer = await this.#server.call({ method: 'GET', path, token, namespace }, signal);
    if (answer.status !== 403 || !this.#session.refused(token)) return answer;
    return await this.#server.call({ method: 'GET', path, token: await this.#session.token(), namespace }, signal);
  }

  /** The longest known mount that the path lies in. */
  #knownPlace(reference: SecretReference): KvPlace | null {
    const namespace = reference.namespace ?? this.#namespace;
    const segments = reference.path.split('/');
    for (let length = segments.length - 1; length > 0; length--) {
      const mount = segments.slice(0, length).join('/');
      const version = this.#mounts.get(keyOf(namespace, mount));
      if (version !== undefined) return { mount, version, path: segments.slice(length).join('/') };
    }
    return null;
  }

  /** Asks the server which mount the path lies in, as its own command line does. */
  async #findPlace(reference: SecretReference, signal: AbortSignal): Promise<KvPlace> {
    const answer = await this.#get(`sys/internal/ui/mounts/${encodePath(reference.path)}`, reference, signal);
    const data = objectIn(answer.body, 'data');
    const path = data?.['path'];
    if (answer.status === 403) {
      throw failure(
        'SECRET_ACCESS_DENIED',
        reference,
        'there is no such mount, or the token of the keeper may read nothing in it',
      );
    }
    if (answer.status !== 200 || typeof path !== 'string')
      throw failure('SECRET_NOT_FOUND', reference, 'there is no such mount');
    const mount = path.replace(/\/$/, '');
    const inside = reference.path.startsWith(`${mount}/`);
    if (!inside || (data?.['type'] !== 'kv' && data?.['type'] !== 'generic')) {
      throw failure('SECRET_REFERENCE_INVALID', reference, 'this mount is not a KV engine');
    }
    const version = objectIn(data, 'options')?.['version'] === '2' ? 2 : 1;
    this.#mounts.set(keyOf(reference.namespace ?? this.#namespace, mount), version);
    return { mount, version, path: reference.path.slice(mount.length + 1) };
  }
}

const keyOf = (namespace: string | null, mount: string): string => `${namespace ?? ''}\n${mount}`;

function translated(error: unknown, reference: SecretReference): unknown {
  if (error instanceof VaultFailure) return failure(error.code, reference, error.message);
  if (!isSallyportError(error) || error.detail['reference'] === reference.text) return error;
  return new SallyportError(error.code, `${reference.text}: the keeper's own credential: ${error.message}`, {
    detail: { reference: reference.text },
  });
}
