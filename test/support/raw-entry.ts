import { hmacSha256Hex, isJsonObject, type JsonValue, randomBytes } from '../../src/core/index.ts';
import { RawPeer } from './raw-peer.ts';

/** A text as it crosses the socket. */
export function frameOf(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([header, Buffer.from(text)]);
}

/** Shakes hands by hand, from docs/keeper.md; fails with the code that the keeper refuses with. */
export async function enterRaw(path: string, { name, token }: { name: string; token: string }): Promise<RawPeer> {
  const peer = new RawPeer(path);
  const ours = randomBytes(32).toString('base64url');
  peer.send({ v: 1, peer: name, nonce: ours });
  const theirs = String((await peer.next())?.['nonce']);
  const lines = ['sallyport-keeper', 1, 'peer', name, ours, theirs].join('\n');
  peer.send({ proof: hmacSha256Hex(Buffer.from(token), Buffer.from(lines)) });
  const answer = await peer.next();
  if (answer?.['ready'] === true) return peer;
  peer.socket.destroy();
  throw new Error(JSON.stringify(answer));
}

const nextIds = new WeakMap<RawPeer, number>();
const answersOf = new WeakMap<RawPeer, Map<number, (answer: Answer) => void>>();

export interface Answer {
  readonly value?: JsonValue;
  readonly code?: JsonValue;
}

/** Asks a question; several may be under way. Fails if the connection is cut. */
export function askRaw(peer: RawPeer, name: string, input: object): Promise<Answer> {
  const id = nextIds.get(peer) ?? 1_000;
  nextIds.set(peer, id + 1);
  const waiting = answersOf.get(peer) ?? new Map<number, (answer: Answer) => void>();
  const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
  peer.send({ id, name, input });
  if (answersOf.has(peer)) return answer;
  answersOf.set(peer, waiting);
  return Promise.race([answer, hear(peer, waiting)]).then(() => answer);
}

/** Hands out answers until nobody waits for one. */
async function hear(peer: RawPeer, waiting: Map<number, (answer: Answer) => void>): Promise<void> {
  while (waiting.size > 0) {
    const frame = await peer.next();
    if (frame === null) throw new Error('the connection was cut');
    const { id, error, value } = frame;
    if (typeof id !== 'number') continue;
    waiting.get(id)?.(isJsonObject(error) ? { code: error['code'] ?? null } : { value: value ?? null });
    waiting.delete(id);
  }
  answersOf.delete(peer);
}
