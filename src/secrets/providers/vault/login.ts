import type { JsonObject } from '../../../core/index.ts';
import { encodePath } from './request.ts';
import { objectIn, VaultFailure, type VaultServer } from './server.ts';

/** Reads a credential of the keeper's own, as text: from a file, a variable, the keystore or a command. */
export type ReadCredential = (signal: AbortSignal) => Promise<string>;

/** How the keeper proves to Vault who it is. `wrapped`: what is read is a wrapping token, opened once. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly token: ReadCredential; readonly wrapped?: boolean }
  | {
      readonly kind: 'approle';
      readonly roleId: string;
      readonly secretId: ReadCredential;
      readonly wrapped?: boolean;
      readonly mount?: string;
    }
  | {
      readonly kind: 'kubernetes' | 'jwt';
      readonly role: string;
      readonly jwt: ReadCredential;
      readonly mount?: string;
    };

/** A token, and how long it lasts. */
export interface VaultToken {
  readonly token: string;
  /** Milliseconds from now; null where it does not end. */
  readonly lastsMs: number | null;
  readonly renewable: boolean;
  /** Made by a login of ours: another login can follow it, and it is revoked at the end. */
  readonly ours: boolean;
}

interface Login {
  readonly server: VaultServer;
  readonly auth: VaultAuth;
  readonly namespace: string | null;
  readonly signal: AbortSignal;
}

/**
 * Logs in, or looks at the token that was given.
 * @throws VaultFailure
 */
export async function logIn(login: Login): Promise<VaultToken> {
  const { auth, signal } = login;
  switch (auth.kind) {
    case 'token': {
      const given = (await auth.token(signal)).trim();
      return await lookUp(login, auth.wrapped === true ? await unwrapToken(login, given) : given);
    }
    case 'approle': {
      const given = (await auth.secretId(signal)).trim();
      const secretId = auth.wrapped === true ? await unwrapSecretId(login, given, auth.mount ?? 'approle') : given;
      return await postLogin(login, auth.mount ?? 'approle', { role_id: auth.roleId, secret_id: secretId });
    }
    case 'kubernetes':
    case 'jwt':
      return await postLogin(login, auth.mount ?? auth.kind, { role: auth.role, jwt: (await auth.jwt(signal)).trim() });
  }
}

/**
 * Makes a token last longer, or says that it could not.
 * @throws VaultFailure when the server cannot answer
 */
export async function renew(login: Omit<Login, 'auth'>, token: VaultToken): Promise<VaultToken | null> {
  const { server, namespace, signal } = login;
  const answer = await server.call(
    { method: 'POST', path: 'auth/token/renew-self', token: token.token, namespace, body: {} },
    signal,
  );
  const auth = answer.status === 200 ? objectIn(answer.body, 'auth') : null;
  return auth === null ? null : readToken(auth, token.ours);
}

async function postLogin(login: Login, mount: string, body: JsonObject): Promise<VaultToken> {
  const { server, namespace, signal } = login;
  const answer = await server.call(
    { method: 'POST', path: `auth/${encodePath(mount)}/login`, token: null, namespace, body },
    signal,
  );
  const auth = answer.status === 200 ? objectIn(answer.body, 'auth') : null;
  if (auth === null) throw new VaultFailure('SECRET_ACCESS_DENIED', `the login at auth/${mount} was refused`);
  return readToken(auth, true);
}

async function lookUp(login: Login, token: string): Promise<VaultToken> {
  const { server, namespace, signal } = login;
  const answer = await server.call({ method: 'GET', path: 'auth/token/lookup-self', token, namespace }, signal);
  const data = answer.status === 200 ? objectIn(answer.body, 'data') : null;
  if (data === null) throw new VaultFailure('SECRET_ACCESS_DENIED', 'the token was refused');
  return { token, lastsMs: lasting(data['ttl']), renewable: data['renewable'] === true, ours: false };
}

/** A wrapped token: that it could be opened at all says that nobody did before. */
async function unwrapToken(login: Login, wrapping: string): Promise<string> {
  const body = await unwrap(login, wrapping, /^auth\/token\/create(-orphan|\/[^/]+)?$/);
  const token = objectIn(body, 'auth')?.['client_token'];
  if (typeof token !== 'string') throw new VaultFailure('SECRET_MALFORMED', 'the wrapping token has no token in it');
  return token;
}

async function unwrapSecretId(login: Login, wrapping: string, mount: string): Promise<string> {
  const path = new RegExp(`^auth/${mount.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/role/[^/]+/secret-id$`);
  const secretId = objectIn(await unwrap(login, wrapping, path), 'data')?.['secret_id'];
  if (typeof secretId !== 'string')
    throw new VaultFailure('SECRET_MALFORMED', 'the wrapping token has no secret id in it');
  return secretId;
}

/** Where the wrapped thing was made is looked at first: who opened it and wrapped something else could not make it there. */
async function unwrap(login: Login, wrapping: string, madeAt: RegExp): Promise<JsonObject | null> {
  const { server, namespace, signal } = login;
  const look = await server.call(
    { method: 'POST', path: 'sys/wrapping/lookup', token: null, namespace, body: { token: wrapping } },
    signal,
  );
  const place = objectIn(look.body, 'data')?.['creation_path'];
  if (look.status !== 200 || typeof place !== 'string') {
    throw new VaultFailure(
      'SECRET_ACCESS_DENIED',
      'the wrapping token is spent or too old: if nobody of yours opened it, somebody else did',
    );
  }
  if (!madeAt.test(place))
    throw new VaultFailure(
      'SECRET_ACCESS_DENIED',
      'the wrapping token was made at another place than expected: somebody may have put it there',
    );
  const answer = await server.call(
    { method: 'POST', path: 'sys/wrapping/unwrap', token: wrapping, namespace, body: {} },
    signal,
  );
  if (answer.status !== 200) throw new VaultFailure('SECRET_ACCESS_DENIED', 'the wrapping token could not be opened');
  return answer.body;
}

function readToken(auth: JsonObject, ours: boolean): VaultToken {
  const token = auth['client_token'];
  if (typeof token !== 'string' || token === '') throw new VaultFailure('SECRET_MALFORMED', 'the login gave no token');
  return { token, lastsMs: lasting(auth['lease_duration']), renewable: auth['renewable'] === true, ours };
}

/** Seconds of Vault, of which 0 is for ever. */
const lasting = (seconds: unknown): number | null =>
  typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : null;
