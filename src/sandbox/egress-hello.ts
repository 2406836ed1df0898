/** What a ClientHello says about where it goes. */
export interface ClientHello {
  /** The host name of `server_name` (RFC 6066 3), lower case; null when there is none. */
  readonly serverName: string | null;
  /** Whether it has an `encrypted_client_hello`, be it real or made up: what it hides cannot be told from outside. */
  readonly encrypted: boolean;
}

/** More bytes are needed; what came so far could be a ClientHello. */
export const MORE_BYTES: unique symbol = Symbol('more bytes');

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/**
 * Reads the ClientHello that a TLS connection starts with (RFC 8446 4.1.2, 5.1); null: this is something else.
 *
 * ATTACKER-CONTROLLED: `bytes`.
 */
export function readClientHello(bytes: Buffer): ClientHello | null | typeof MORE_BYTES {
  const message = handshakeBytes(bytes);
  if (!Buffer.isBuffer(message)) return message;
  if (message.length > 0 && message[0] !== CLIENT_HELLO) return null;
  if (message.length < 4) return MORE_BYTES;
  const length = message.readUIntBE(1, 3);
  if (message.length < 4 + length) return MORE_BYTES;
  const extensions = extensionsOf(message.subarray(4, 4 + length));
  return extensions === null ? null : helloOf(extensions);
}

/** The bytes inside the handshake records at the start; a record that is not complete yet counts as far as it goes. */
function handshakeBytes(bytes: Buffer): Buffer | null | typeof MORE_BYTES {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const isRecord = bytes[at] === HANDSHAKE && (at + 1 >= bytes.length || bytes[at + 1] === 3);
    if (!isRecord) return parts.length === 0 ? null : Buffer.concat(parts);
    if (at + 5 > bytes.length) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384) return null;
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return parts.length === 0 ? MORE_BYTES : Buffer.concat(parts);
}

/** The rest of `bytes` after a field with a length of `size` bytes before it; null: it does not fit. */
function afterField(bytes: Buffer, size: 1 | 2): { readonly field: Buffer; readonly rest: Buffer } | null {
  if (bytes.length < size) return null;
  const end = size + bytes.readUIntBE(0, size);
  return bytes.length < end ? null : { field: bytes.subarray(size, end), rest: bytes.subarray(end) };
}

/** Version (2), random (32), session, cipher suites, compression, extensions. */
function extensionsOf(hello: Buffer): Map<number, Buffer> | null {
  const session = afterField(hello.subarray(34), 1);
  const suites = session && afterField(session.rest, 2);
  const compression = suites && afterField(suites.rest, 1);
  const list = compression && afterField(compression.rest, 2);
  if (!list || list.rest.length > 0) return null;
  const found = new Map<number, Buffer>();
  for (let rest = list.field; rest.length > 0; ) {
    const extension = rest.length < 2 ? null : afterField(rest.subarray(2), 2);
    const type = rest.length < 2 ? 0 : rest.readUInt16BE(0);
    // RFC 8446 4.2: each once. A second server_name is how one reader is shown another name than the next.
    if (extension === null || found.has(type)) return null;
    found.set(type, extension.field);
    rest = extension.rest;
  }
  return found;
}

function helloOf(extensions: ReadonlyMap<number, Buffer>): ClientHello | null {
  const encrypted = extensions.has(ENCRYPTED_CLIENT_HELLO);
  const extension = extensions.get(SERVER_NAME);
  if (extension === undefined) return { serverName: null, encrypted };
  const list = afterField(extension, 2);
  if (list === null || list.rest.length > 0 || list.field[0] !== 0) return null;
  const name = afterField(list.field.subarray(1), 2);
  if (name === null || name.rest.length > 0 || name.field.length === 0) return null;
  return { serverName: name.field.toString('latin1').toLowerCase(), encrypted };
}
