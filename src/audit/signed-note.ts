import * as crypto from 'node:crypto';
import { equalBytes, SallyportError, sha256 } from '../core/index.ts';

const ED25519 = 0x01;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const MAX_SIGNATURES = 100;
const MAX_NOTE_BYTES = 65_536;
/** What stands before the 32 bytes of an Ed25519 key in its SPKI form (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A public key that can verify notes, with the name it signs under (c2sp.org/signed-note). */
export interface NoteVerifier {
  readonly name: string;
  readonly id: Buffer;
  readonly key: crypto.KeyObject;
  /** `name+id+key`, the form in which the key is given to others. */
  readonly vkey: string;
}

/** A private key that signs notes under a name. */
export interface NoteSigner {
  readonly verifier: NoteVerifier;
  readonly privateKey: crypto.KeyObject;
}

/** True for a name that may stand in a key and on a signature line: not empty, no white space, no `+`. */
const isKeyName = (name: string): boolean => name !== '' && name.isWellFormed() && !/[\s+\p{Cc}]/u.test(name);

/** The verifier for a name and an Ed25519 public key. */
export function verifierOf(name: string, key: crypto.KeyObject): NoteVerifier {
  if (!isKeyName(name)) throw forged('a key name is empty or has a space or a plus sign');
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
  const tagged = Buffer.concat([Uint8Array.of(ED25519), raw]);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), tagged])).subarray(0, ID_BYTES);
  return Object.freeze({ name, id, key, vkey: `${name}+${id.toString('hex')}+${tagged.toString('base64')}` });
}

/**
 * Reads a verifier key (`name+id+key`, c2sp.org/signed-note), Ed25519 only.
 * @throws SallyportError AUDIT_FORGED
 */
export function parseVerifierKey(vkey: string): NoteVerifier {
  const [name = '', id = '', ...rest] = vkey.split('+');
  const tagged = decodeBase64(rest.join('+'));
  if (tagged === null || tagged.length !== 1 + KEY_BYTES || tagged[0] !== ED25519) {
    throw forged('the verifier key is not an Ed25519 key of a signed note');
  }
  const spki = Buffer.concat([SPKI_PREFIX, tagged.subarray(1)]);
  const verifier = verifierOf(name, crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  if (verifier.id.toString('hex') !== id) throw forged('the id of the verifier key does not belong to it');
  return verifier;
}

/** The signer for a name and an Ed25519 private key. */
export const signerOf = (name: string, privateKey: crypto.KeyObject): NoteSigner =>
  Object.freeze({ verifier: verifierOf(name, crypto.createPublicKey(privateKey)), privateKey });

/** Signs a text that ends with a line break: the text, an empty line, one signature line. */
export function signNote(text: string, signer: NoteSigner): string {
  if (!isNoteText(text)) throw forged('the text of a note must be lines of plain text');
  const signature = crypto.sign(null, Buffer.from(text), signer.privateKey);
  const { id, name } = signer.verifier;
  return `${text}\n\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/**
 * The text of a note that `verifier` signed. Signatures of other keys are passed over, as the specification asks; a line
 * that claims this key and does not verify spoils the note.
 *
 * @throws SallyportError AUDIT_FORGED: malformed, not signed by the key, or signed wrongly
 */
export function openNote(note: Uint8Array, verifier: NoteVerifier): string {
  const { text, lines } = splitNote(note);
  const ours = lines.map(parseSignatureLine).filter(({ name, id }) => name === verifier.name && id.equals(verifier.id));
  if (ours.length === 0) throw forged('the note is not signed by the key');
  const bytes = Buffer.from(text);
  if (!ours.every(({ signature }) => crypto.verify(null, bytes, verifier.key, signature))) {
    throw forged('the signature of the note does not verify');
  }
  return text;
}

/** ATTACKER-CONTROLLED: whoever can write the file wrote this. */
function splitNote(note: Uint8Array): { text: string; lines: string[] } {
  if (note.length > MAX_NOTE_BYTES) throw forged('the note is too long');
  const whole = Buffer.from(note).toString('utf8');
  const end = whole.lastIndexOf('\n\n');
  if (!equalBytes(Buffer.from(whole), note) || end < 0 || !whole.endsWith('\n')) throw forged('the note is malformed');
  const text = whole.slice(0, end + 1);
  const lines = whole.slice(end + 2, -1).split('\n');
  if (!isNoteText(text) || lines.length > MAX_SIGNATURES) throw forged('the note is malformed');
  return { text, lines };
}

function parseSignatureLine(line: string): { name: string; id: Buffer; signature: Buffer } {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = decodeBase64(encoded);
  if (dash !== '\u2014' || more.length > 0 || !isKeyName(name) || bytes === null || bytes.length <= ID_BYTES) {
    throw forged('a signature line of the note is malformed');
  }
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

/** Control characters other than the line break could make one text read as another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const isNoteText = (text: string): boolean => text.endsWith('\n') && !/[\u0000-\u0009\u000b-\u001f]/.test(text);

/** Strict base64: what does not encode back to the same text is refused, so that one signature has one spelling. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : null;
}

const forged = (message: string): SallyportError => new SallyportError('AUDIT_FORGED', message);
