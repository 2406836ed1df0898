const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder('utf-8');

/** Bytes as text. `exact` is false if some were not UTF-8 and stand as U+FFFD; null if this is no text at all. */
export function decodeText(bytes: Uint8Array): { readonly text: string; readonly exact: boolean } | null {
  if (bytes.includes(0)) return null;
  try {
    return { text: strict.decode(bytes), exact: true };
  } catch {
    return { text: lenient.decode(bytes), exact: false };
  }
}
