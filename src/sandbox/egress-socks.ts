import type { Socket } from 'node:net';
import { readStart, type StartReader } from './egress-bytes.ts';
import { type EgressRefusal, refuse } from './egress-refusal.ts';
import { noToken } from './egress-request.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { type EgressTarget, readSocksTarget, type tunnelAsk, unreadableAsk } from './egress-target.ts';
import { isToken, PROXY_USER } from './egress-token.ts';

/** First byte of SOCKS5, which no HTTP message starts with. */
export const SOCKS_VERSION = 5;

const USER_AND_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;

/** Fields of a reply (RFC 1928 6). */
const REPLY = { granted: 0, failure: 1, refused: 2, unreachable: 4, command: 7, addressKind: 8 } as const;

const reply = (field: number): Buffer => Buffer.from([SOCKS_VERSION, field, 0, 1, 0, 0, 0, 0, 0, 0]);

/** Tells a client that its tunnel is there. */
export const grantSocks = (socket: Socket): unknown => socket.write(reply(REPLY.granted));

/** Tells a client why there is no tunnel, as far as SOCKS has words, and ends the connection. */
export function refuseSocks(socket: Socket, { code }: EgressRefusal): void {
  const field = code.startsWith('ENDPOINT_UN') ? REPLY.unreachable : REPLY.refused;
  socket.end(reply(field));
  socket.destroySoon();
}

/**
 * Reads a SOCKS5 negotiation (RFC 1928, 1929): the token as password, CONNECT only, names unresolved. Null: it was refused,
 * recorded and ended.
 *
 * ATTACKER-CONTROLLED: every byte of `socket`.
 */
export async function negotiateSocks(context: EgressContext, socket: Socket): Promise<EgressTarget | null> {
  const deadline = AbortSignal.any([context.signal, AbortSignal.timeout(context.limits.headMs)]);
  const start = readStart(socket);
  const reader: Reader = { take: (count) => take(start, count, deadline) };
  const refusal = (await readGreeting(reader, socket)) ?? (await readToken(reader, socket, context.token));
  const target = refusal ?? (await readRequest(reader));
  start.release();
  if (!('kind' in target)) return target;
  context.record(refusedEvent(target.asked ?? unreadableAsk('tcp'), target));
  if (target.bytes !== undefined) socket.end(Buffer.from(target.bytes));
  socket.destroySoon();
  return null;
}

/** A refusal, the bytes that tell it, and what was asked where that was read. */
type SocksRefusal = EgressRefusal & {
  readonly bytes?: readonly number[];
  readonly asked?: ReturnType<typeof tunnelAsk>;
};

const malformed = (reason: string, field?: number): SocksRefusal => ({
  ...refuse('EGRESS_MALFORMED', reason),
  ...(field === undefined ? {} : { bytes: [...reply(field)] }),
});

const cutOff = (): SocksRefusal => refuse('EGRESS_TIMEOUT', 'the SOCKS request did not come in time');

/** The bytes of a negotiation, with one deadline for all of them. */
interface Reader {
  readonly take: (count: number) => Promise<Buffer | null>;
}

/** Takes exactly `count` bytes. */
async function take(start: StartReader, count: number, deadline: AbortSignal): Promise<Buffer | null> {
  const bytes = (await start.need(count, deadline))?.subarray(0, count) ?? null;
  if (bytes !== null) start.drop(count);
  return bytes;
}

/** Takes a field with its length in the byte before it. */
async function takeField(reader: Reader): Promise<Buffer | null> {
  const length = (await reader.take(1))?.[0];
  return length === undefined ? null : reader.take(length);
}

async function readGreeting(reader: Reader, socket: Socket): Promise<SocksRefusal | null> {
  const version = await reader.take(1);
  const methods = await takeField(reader);
  if (version === null || methods === null) return cutOff();
  if (!methods.includes(USER_AND_PASSWORD)) return { ...noToken(), bytes: [SOCKS_VERSION, NO_METHOD] };
  socket.write(Buffer.from([SOCKS_VERSION, USER_AND_PASSWORD]));
  return null;
}

async function readToken(reader: Reader, socket: Socket, token: string): Promise<SocksRefusal | null> {
  const version = await reader.take(1);
  const user = version?.[0] === 1 ? await takeField(reader) : null;
  const password = user === null ? null : await takeField(reader);
  if (user === null || password === null) return cutOff();
  const isOurs = isToken(password.toString('latin1'), token) && user.toString('latin1') === PROXY_USER;
  if (!isOurs) return { ...noToken(), bytes: [1, 1] };
  socket.write(Buffer.from([1, 0]));
  return null;
}

async function readRequest(reader: Reader): Promise<EgressTarget | SocksRefusal> {
  const head = await reader.take(4);
  if (head === null) return cutOff();
  const [version, command, , kind] = head;
  if (version !== SOCKS_VERSION) return malformed('it is not SOCKS5', REPLY.failure);
  const host = await readHost(reader, kind ?? 0);
  const port = host === null ? null : await reader.take(2);
  if (host === '') return malformed('it has an address of an unknown kind', REPLY.addressKind);
  if (host === null || port === null) return cutOff();
  if (command !== CONNECT) return malformed('there is no other command than CONNECT', REPLY.command);
  const target = readSocksTarget(host, port.readUInt16BE(0));
  if (!('trouble' in target)) return target;
  const asked = unreadableAsk('tcp', host);
  return { ...malformed(`the host cannot be used: ${target.detail}`, REPLY.refused), asked };
}

/** The text of an address or name; empty: it is of no known kind; null: it did not come. */
async function readHost(reader: Reader, kind: number): Promise<string | null> {
  if (kind === 3) return (await takeField(reader))?.toString('latin1') ?? null;
  if (kind === 1) return (await reader.take(4))?.join('.') ?? null;
  const bytes = kind === 4 ? await reader.take(16) : Buffer.alloc(0);
  if (bytes === null) return null;
  return Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':');
}
