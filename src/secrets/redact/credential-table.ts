import { hasChecksum, isMixed, isNumberInBase64, isTokenHeader, shannonBits } from './credential-checks.ts';
import { base64, base64url, digits, hex, isWord, type Run, upperAndDigits, word } from './unit-classes.ts';

/**
 * One kind of credential: a literal beginning that is rare in other text, and what has to follow. `tail` says where it
 * ends, or nothing. Each reads at most a bounded stretch, so that the search stays linear.
 */
export interface CredentialPattern {
  readonly kind: string;
  readonly prefixes: readonly string[];
  readonly tail: (text: string, behindPrefix: number, start: number) => CredentialPlace | undefined;
  /** True where the beginning may stand inside a word. */
  readonly inWord?: boolean;
  /** For a kind whose texts are not random themselves: no look at examples and at how random it is. */
  readonly plain?: boolean;
}

/** Where a credential stands. */
export interface CredentialPlace {
  readonly start: number;
  readonly end: number;
}

type Check = (body: string, text: string, start: number) => boolean;

/** A longer body may not begin behind a hyphen, so that beginnings in one long word do not each read all of it. */
const SHORT = 128;

/** A body of one class of characters, of a length, which the class ends. */
const body =
  (run: Run, least: number, most: number = least, check: Check = () => true): CredentialPattern['tail'] =>
  (text, from, start) => {
    if (most > SHORT && text[start - 1] === '-') return undefined;
    const end = run(text, from, most + 1);
    if (end - from < least || end - from > most) return undefined;
    return check(text.slice(from, end), text, start) ? { start, end } : undefined;
  };

/** Bodies with a separator between them. */
const bodies =
  (
    separator: string,
    parts: readonly (readonly [Run, number, number])[],
    check: Check = () => true,
  ): CredentialPattern['tail'] =>
  (text, from, start) => {
    let end = from;
    for (const [at, [run, least, most]] of parts.entries()) {
      if (at > 0) {
        if (!text.startsWith(separator, end)) return undefined;
        end += separator.length;
      }
      const next = run(text, end, most + 1);
      if (next - end < least || next - end > most) return undefined;
      end = next;
    }
    return check(text.slice(from, end), text, start) ? { start, end } : undefined;
  };

const random =
  (least: number): Check =>
  (text) =>
    shannonBits(text) >= least;

/** What follows a name that is no part of it. */
const behind =
  (tail: CredentialPattern['tail']): CredentialPattern['tail'] =>
  (text, from) =>
    tail(text, from, from);

const pattern = (
  kind: string,
  prefixes: readonly string[],
  tail: CredentialPattern['tail'],
  more: Pick<CredentialPattern, 'inWord' | 'plain'> = {},
): CredentialPattern => ({ kind, prefixes, tail, ...more });

/** A value behind `name` and an assignment: `=`, `:`, quotes and spaces between. */
const assigned =
  (run: Run, length: number, check: Check = () => true): CredentialPattern['tail'] =>
  (text, from) => {
    let start = from;
    while (start < from + 8 && '"\'=: \\>'.includes(text.charAt(start))) start++;
    return start === from ? undefined : body(run, length, length, check)(text, start, start);
  };

const TOKEN_LENGTH = 4_096;

function webToken(text: string, _: number, start: number): CredentialPlace | undefined {
  if (text[start - 1] === '-') return undefined;
  const header = base64url(text, start, TOKEN_LENGTH);
  if (!text.startsWith('.eyJ', header)) return undefined;
  const payload = base64url(text, header + 1, TOKEN_LENGTH);
  if (text[payload] !== '.') return undefined;
  const end = base64url(text, payload + 1, TOKEN_LENGTH);
  return end - payload > 16 && isTokenHeader(text.slice(start, header)) ? { start, end } : undefined;
}

/** The number of a bot stands before what marks its token. */
function telegram(text: string, from: number, at: number): CredentialPlace | undefined {
  let start = at;
  while (start > at - 11 && isDigit(text, start - 1)) start--;
  if (at - start < 8 || at - start > 10 || isWord(text.charCodeAt(start - 1))) return undefined;
  return body(base64url, 33)(text, from, start);
}

const isDigit = (text: string, at: number): boolean => digits(text, at, 1) > at;

const PASSWORD_LENGTH = 256;
const NO_PASSWORD = /^(?:pass(?:word|wd)?|pwd|secret|token|user(?:name)?|key|\*+|x+|[$%{<[].*)$/i;

/** The password between `//user:` and `@`. */
function urlPassword(text: string, from: number): CredentialPlace | undefined {
  let colon = -1;
  for (let at = from; at < from + 2 * PASSWORD_LENGTH && at < text.length; at++) {
    const character = text.charAt(at);
    if (character === ':' && colon < 0) colon = at;
    else if (character === '@') return colon < 0 ? undefined : passwordAt(text, colon + 1, at);
    else if (' \t\r\n/?#"\'<>`\\'.includes(character)) return undefined;
  }
  return undefined;
}

function passwordAt(text: string, start: number, end: number): CredentialPlace | undefined {
  const password = text.slice(start, end);
  return password.length < 6 || password.length > PASSWORD_LENGTH || NO_PASSWORD.test(password)
    ? undefined
    : { start, end };
}

const githubBody: Check = (text) => (text.length === 36 ? hasChecksum(text) : text.length > 40);

/** Every kind. The longest beginning that fits is tried first, then shorter ones. */
export const CREDENTIAL_PATTERNS: readonly CredentialPattern[] = [
  pattern('aws-access-key', ['AKIA', 'ASIA'], body(upperAndDigits, 16, 16, random(2.8))),
  pattern(
    'aws-secret-key',
    ['aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY', 'SecretAccessKey', 'secretAccessKey', 'aws_secret_key'],
    assigned(base64, 40, (text) => isMixed(text) && shannonBits(text) >= 4),
    { inWord: true },
  ),
  pattern('github', ['ghp_', 'gho_', 'ghu_', 'ghr_'], body(word, 36, 36, hasChecksum)),
  pattern('github', ['ghs_'], body(base64url, 36, 520, githubBody)),
  pattern(
    'github',
    ['github_pat_'],
    bodies('_', [
      [word, 22, 22],
      [word, 59, 59],
    ]),
  ),
  pattern('gitlab', ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-'], body(base64url, 20, 320, random(3))),
  pattern(
    'slack',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxc-', 'xoxd-'],
    body(base64url, 24, 320, random(3)),
  ),
  pattern('slack', ['xapp-1-'], body(base64url, 40, 320, random(3))),
  pattern(
    'slack-webhook',
    ['hooks.slack.com/services/T'],
    bodies('/', [
      [word, 8, 14],
      [word, 8, 14],
      [word, 20, 32],
    ]),
    { inWord: true },
  ),
  pattern('stripe', ['sk_live_', 'rk_live_'], body(word, 20, 128, random(3))),
  pattern(
    'stripe',
    ['whsec_'],
    body(base64, 32, 64, (text) => isMixed(text)),
  ),
  pattern('google', ['AIza'], body(base64url, 35, 35, random(3.5))),
  pattern('google', ['GOCSPX-'], body(base64url, 28, 28, random(3.5))),
  pattern('google', ['ya29.'], body(base64url, 40, 1_024, random(4))),
  pattern('npm', ['npm_'], body(word, 36, 36, hasChecksum)),
  pattern('pypi', ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], body(base64url, 50, 512, random(4))),
  pattern(
    'openai',
    ['sk-proj-', 'sk-svcacct-', 'sk-admin-'],
    body(base64url, 40, 320, (text) => isMixed(text)),
  ),
  pattern(
    'openai',
    ['sk-'],
    body(word, 48, 48, (text) => text.slice(20, 28) === 'T3BlbkFJ'),
  ),
  pattern(
    'anthropic',
    ['sk-ant-'],
    body(base64url, 80, 256, (text) => isMixed(text)),
  ),
  pattern(
    'azure-storage',
    ['AccountKey='],
    behind(body(base64, 88, 88, (text) => text.endsWith('==') && isMixed(text))),
  ),
  pattern(
    'azure-service-bus',
    ['SharedAccessKey='],
    behind(body(base64, 44, 44, (text) => text.endsWith('=') && isMixed(text))),
  ),
  pattern(
    'sendgrid',
    ['SG.'],
    bodies(
      '.',
      [
        [base64url, 22, 22],
        [base64url, 43, 43],
      ],
      random(4),
    ),
  ),
  pattern('twilio', ['SK'], body(hex, 32, 32, random(3))),
  pattern('telegram', [':AA'], telegram, { inWord: true }),
  pattern(
    'discord-webhook',
    ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    bodies('/', [
      [digits, 17, 20],
      [base64url, 60, 80],
    ]),
    { inWord: true },
  ),
  pattern('jwt', ['eyJ'], webToken),
  pattern('age', ['AGE-SECRET-KEY-1'], body(upperAndDigits, 58, 58, random(3.5))),
  pattern(
    'vault',
    ['hvs.', 'hvb.', 'hvr.'],
    body(base64url, 24, 512, (text) => isMixed(text)),
  ),
  pattern(
    'vault',
    ['s.'],
    body(word, 24, 24, (text) => isMixed(text) && shannonBits(text) >= 3.8),
  ),
  pattern('doppler', ['dp.pt.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'], body(word, 40, 44, random(4))),
  pattern('digitalocean', ['dop_v1_', 'doo_v1_', 'dor_v1_'], body(hex, 64, 64, random(3))),
  pattern('databricks', ['dapi'], body(hex, 32, 32, random(3))),
  pattern('hugging-face', ['hf_', 'api_org_'], body(word, 34, 34, random(4))),
  pattern('mailgun', ['key-'], body(hex, 32, 32, random(3))),
  pattern('shopify', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], body(hex, 32, 32, random(3))),
  pattern('square', ['sq0atp-'], body(base64url, 22, 22, random(3))),
  pattern('square', ['sq0csp-'], body(base64url, 43, 43, random(4))),
  pattern(
    'square',
    ['EAAA'],
    body(base64url, 60, 60, (text) => isMixed(text) && shannonBits(text) >= 4),
  ),
  pattern('password-in-url', ['://'], urlPassword, { inWord: true, plain: true }),
];

/** A bot's token at Discord has no beginning of its own: it is looked for around its first full stop. */
export function discordTokenAt(text: string, stop: number): CredentialPlace | undefined {
  let start = stop;
  while (start > stop - 29 && base64url(text, start - 1, 1) === start) start--;
  if (stop - start < 23 || stop - start > 28) return undefined;
  const time = base64url(text, stop + 1, 8);
  if (time - stop - 1 < 6 || time - stop - 1 > 7 || text[time] !== '.') return undefined;
  const end = base64url(text, time + 1, 50);
  const length = end - time - 1;
  return length >= 27 && length <= 45 && isNumberInBase64(text.slice(start, stop)) ? { start, end } : undefined;
}
