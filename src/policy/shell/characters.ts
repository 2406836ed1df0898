import type { CommandTrouble } from './command-line.ts';

// Nothing that a terminal obeys, and no text direction: neither outside quotes nor inside (C9). Tab and newline stay.
const FORBIDDEN = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const FORBIDDEN_IN_VALUE = /[^\P{Cc}\t\n\r]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

// What nobody sees, or takes for a space: inside quotes it is data, outside it is part of a name.
const INVISIBLE = /[^\P{Z} ]|[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** What is wrong with the characters of a line, before anything is parsed; null if nothing is. ATTACKER-CONTROLLED: `line`. */
export function troubleInCharacters(line: string, maxBytes: number): CommandTrouble | null {
  if (line.length > maxBytes || Buffer.byteLength(line) > maxBytes) {
    return { trouble: 'COMMAND_TOO_LARGE', about: `a command line has at most ${maxBytes} bytes` };
  }
  if (!line.isWellFormed()) return { trouble: 'COMMAND_MALFORMED', about: 'the line has a lone surrogate' };
  if (FORBIDDEN.test(line)) {
    return { trouble: 'COMMAND_MALFORMED', about: 'the line has a control character or changes the direction of text' };
  }
  if (endsInOddBackslash(line)) {
    return { trouble: 'COMMAND_MALFORMED', about: 'the line ends in a backslash: something is missing' };
  }
  return line.trim() === '' ? { trouble: 'COMMAND_MALFORMED', about: 'the line is empty' } : null;
}

/** True for text outside quotes that nobody would see as it is. */
export const hasInvisible = (text: string): boolean => INVISIBLE.test(text);

/** True for a value that ANSI-C quoting (`$'\e'`) brought in and that a terminal would obey. CR is fine: `grep $'\r'`. */
export const hasControl = (text: string): boolean => FORBIDDEN_IN_VALUE.test(text);

/** True when an odd number of backslashes ends the text: the last one quotes what is not there. Linear. */
export function endsInOddBackslash(text: string): boolean {
  let at = text.length;
  while (text[at - 1] === '\\') at -= 1;
  return (text.length - at) % 2 === 1;
}
