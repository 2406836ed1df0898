import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { JsonObject } from '../../src/core/index.ts';

const UP = 1;
const UV = 4;
const AT = 64;
const sha = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const url = (bytes: Buffer): string => bytes.toString('base64url');

/** CBOR (RFC 8949) of byte strings, texts, small numbers and maps: what an authenticator needs. */
function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  return length < 256
    ? Buffer.from([(major << 5) | 24, length])
    : Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}
const int = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value));
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const word = (value: string): Buffer => Buffer.concat([head(3, value.length), Buffer.from(value)]);
const map = (...pairs: readonly Buffer[]): Buffer => Buffer.concat([head(5, pairs.length / 2), ...pairs]);

export interface SoftOptions {
  readonly rpId?: string;
  readonly origin?: string;
  /** False: present, and not verified. */
  readonly verified?: boolean;
  readonly counter?: number;
}

/** An authenticator in software (ES256), which does what it is told. */
export class SoftPasskey {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly id: Buffer = randomBytes(32);
  counter = 0;

  constructor() {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  /** RegistrationResponseJSON, attestation `none`. */
  register(challenge: string, options: SoftOptions = {}): JsonObject {
    const { x = '', y = '' } = this.#publicKey.export({ format: 'jwk' });
    const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
    const key = map(int(1), int(2), int(3), int(-7), int(-1), int(1), int(-2), bytes(left), int(-3), bytes(right));
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, key]);
    const data = Buffer.concat([this.#data(AT, options), credential]);
    const attestation = map(word('fmt'), word('none'), word('attStmt'), map(), word('authData'), bytes(data));
    return this.#response({
      clientDataJSON: this.#client('webauthn.create', challenge, options),
      attestationObject: url(attestation),
    });
  }

  /** AuthenticationResponseJSON. */
  assert(challenge: string, options: SoftOptions = {}): JsonObject {
    this.counter += 1;
    const data = this.#data(0, options);
    const client = this.#client('webauthn.get', challenge, options);
    const signature = sign('sha256', Buffer.concat([data, sha(Buffer.from(client, 'base64url'))]), this.#privateKey);
    return this.#response({ clientDataJSON: client, authenticatorData: url(data), signature: url(signature) });
  }

  #data(flags: number, { rpId = 'localhost', verified = true, counter = this.counter }: SoftOptions): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha(rpId), Buffer.from([flags | UP | (verified ? UV : 0)]), count]);
  }

  #client(type: string, challenge: string, { origin = 'http://localhost:7332' }: SoftOptions): string {
    return url(Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })));
  }

  #response(response: JsonObject): JsonObject {
    return { id: url(this.id), rawId: url(this.id), type: 'public-key', clientExtensionResults: {}, response };
  }
}
