import { randomBytes } from '../core/index.ts';

/** Bytes of a boundary's nonce: nobody who wrote the text before can have known it. */
const NONCE_BYTES = 16;

/**
 * Wraps a text of a stranger in lines that name it as data, with a nonce that its author cannot know. `nonce` is for tests.
 * @example
 * boundary('hello', 'ab12'); // '<<untrusted ab12>>\nhello\n<<end of untrusted ab12>>'
 */
export function boundary(text: string, nonce: string = Buffer.from(randomBytes(NONCE_BYTES)).toString('hex')): string {
  if (text.includes(nonce)) throw new RangeError('the nonce of a boundary must not stand in the text');
  return `<<untrusted ${nonce}>>\n${text}\n<<end of untrusted ${nonce}>>`;
}
