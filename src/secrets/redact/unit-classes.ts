/** Where the characters of a class end that begin at a place: at most `most` of them are read. */
export type Run = (text: string, from: number, most: number) => number;

const run = (characters: RegExp): Run => {
  const table = Uint8Array.from({ length: 128 }, (_, unit) => (characters.test(String.fromCharCode(unit)) ? 1 : 0));
  return (text, from, most) => {
    let at = from;
    while (at < from + most && table[text.charCodeAt(at)] === 1) at++;
    return at;
  };
};

export const word: Run = run(/[0-9A-Za-z]/);
export const digits: Run = run(/[0-9]/);
export const hex: Run = run(/[0-9a-f]/);
export const upperAndDigits: Run = run(/[0-9A-Z]/);
export const base64: Run = run(/[0-9A-Za-z+/=]/);
export const base64url: Run = run(/[0-9A-Za-z_-]/);

/** Letters, digits and `_`: what a credential does not begin in the middle of. */
export const isWord = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f;
