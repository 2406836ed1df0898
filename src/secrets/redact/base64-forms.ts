import type { Encoding } from './encodings.ts';

/**
 * The characters of base64 that a value alone decides, wherever it stands in what was encoded (`Basic user:secret`): one
 * text for each of the three alignments, and the text of the value by itself to its end. At most two characters at each
 * end depend on the neighbours and stay out.
 */
export function base64Forms(bytes: Buffer): (readonly [Encoding, readonly string[]])[] {
  const stable = [0, 1, 2].map((before) => stableMiddle(bytes, before));
  const whole = bytes.toString('base64');
  const forms = [whole, whole.replace(/=+$/, ''), ...stable];
  return [
    ['base64', forms],
    ['base64url', forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))],
  ];
}

function stableMiddle(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  const from = Math.ceil((before * 8) / 6);
  const to = Math.floor(((before + bytes.length) * 8) / 6);
  return text.slice(from, to);
}
