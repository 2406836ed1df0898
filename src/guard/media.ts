/** What the first bytes of content say about its declared type. */
export type MediaCheck = 'match' | 'mismatch' | 'unknown';

/** First bytes by media type; -1 stands for any byte. Source: IANA registrations and the formats' specifications. */
const SIGNATURES: readonly (readonly [string, readonly number[]])[] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x45, 0x42, 0x50]],
  ['image/bmp', [0x42, 0x4d]],
  ['image/avif', [-1, -1, -1, -1, 0x66, 0x74, 0x79, 0x70]],
  ['image/tiff', [0x49, 0x49, 0x2a, 0x00]],
  ['image/tiff', [0x4d, 0x4d, 0x00, 0x2a]],
  ['audio/wav', [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x41, 0x56, 0x45]],
  ['audio/mpeg', [0x49, 0x44, 0x33]],
  ['audio/mpeg', [0xff, 0xfb]],
  ['audio/mpeg', [0xff, 0xf3]],
  ['audio/ogg', [0x4f, 0x67, 0x67, 0x53]],
  ['audio/flac', [0x66, 0x4c, 0x61, 0x43]],
  ['video/mp4', [-1, -1, -1, -1, 0x66, 0x74, 0x79, 0x70]],
  ['application/pdf', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['application/zip', [0x50, 0x4b, 0x03, 0x04]],
  ['application/gzip', [0x1f, 0x8b]],
];

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['audio/x-wav', 'audio/wav'],
  ['audio/wave', 'audio/wav'],
  ['audio/mp3', 'audio/mpeg'],
  ['application/x-gzip', 'application/gzip'],
]);

/**
 * Holds the first bytes of content against its declared type (RFC 6838; parameters and case do not count). A type whose signature
 * is known must have it; a type that is not known must not have that of another: `unknown` is neither.
 */
export function checkMedia(mimeType: string, bytes: Uint8Array): MediaCheck {
  const [essence = ''] = mimeType.toLowerCase().split(';', 1);
  const type = ALIASES.get(essence.trim()) ?? essence.trim();
  const own = SIGNATURES.filter(([name]) => name === type);
  if (own.length > 0) return own.some(([, signature]) => begins(bytes, signature)) ? 'match' : 'mismatch';
  // A script or a program that calls itself a picture is nobody's picture.
  if (/^(?:image|audio|video)\//.test(type) && isProgram(bytes)) return 'mismatch';
  return SIGNATURES.some(
    ([, signature]) => signature.length > 3 && begins(bytes, signature) && !type.startsWith('application/'),
  )
    ? 'mismatch'
    : 'unknown';
}

const begins = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  bytes.length >= signature.length && signature.every((byte, at) => byte === -1 || bytes[at] === byte);

/** ELF, PE, Mach-O, a script with its interpreter. */
const PROGRAMS: readonly (readonly number[])[] = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0x4d, 0x5a],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xca, 0xfe, 0xba, 0xbe],
  [0x23, 0x21],
];

const isProgram = (bytes: Uint8Array): boolean => PROGRAMS.some((signature) => begins(bytes, signature));
