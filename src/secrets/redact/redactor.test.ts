import { createHash } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSallyportError } from '../../core/index.ts';
import { createRedactor, estimateBits, type Redactor } from './index.ts';
import type { RedactOptions } from './redact-text.ts';

/** A value that is nobody's, the same in each run. */
const made = (seed: string | number, length = 32, alphabet: 'base64' | 'hex' = 'base64') =>
  createHash('sha512').update(`redactor.test ${seed}`).digest(alphabet).slice(0, length);

const HARD = `p/ss "w<r>d'&+é語😀\\${made('hard', 20)}%~`;
const PLAIN = made('plain');
const ME = { tenant: 'me' };

function knowing(values: Readonly<Record<string, string | Uint8Array>>, tenant = 'me'): Redactor {
  const redactor = createRedactor();
  for (const [name, value] of Object.entries(values)) redactor.add(name, '1', value, tenant);
  return redactor;
}

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const all = (text: string, write: (byte: number) => string) => [...utf8(text)].map(write).join('');
const hex2 = (byte: number) => byte.toString(16).padStart(2, '0');

/** How values come back, written by other means than the needles. */
const WAYS: readonly (readonly [string, (value: string) => string])[] = [
  ['raw', (value) => value],
  ['base64 after user:', (value) => utf8(`user:${value}`).toString('base64')],
  ['base64 after one byte', (value) => utf8(`u${value}:x`).toString('base64')],
  ['base64 after two bytes', (value) => utf8(`uu${value}`).toString('base64')],
  ['base64 after three bytes', (value) => utf8(`uuu${value}!`).toString('base64')],
  ['base64url', (value) => utf8(`ab${value}`).toString('base64url')],
  ['hex', (value) => utf8(value).toString('hex')],
  ['HEX', (value) => utf8(value).toString('hex').toUpperCase()],
  ['encodeURIComponent', (value) => encodeURIComponent(value)],
  ['encodeURI', (value) => encodeURI(value)],
  ['form', (value) => new URLSearchParams({ v: value }).toString().slice(2)],
  ['all percent', (value) => all(value, (byte) => `%${hex2(byte)}`)],
  ['ALL PERCENT', (value) => all(value, (byte) => `%${hex2(byte).toUpperCase()}`)],
  ['JSON', (value) => JSON.stringify({ v: value })],
  ['JSON in JSON', (value) => JSON.stringify({ v: JSON.stringify({ v: value }) })],
  [
    'JSON in ASCII',
    (value) =>
      JSON.stringify(value).replace(/[^\0-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ],
  ['JSON of PHP', (value) => JSON.stringify(value).replaceAll('/', '\\/')],
  ['JSON of Go', (value) => JSON.stringify(value).replace(/[<>&]/g, (unit) => `\\u00${hex2(unit.charCodeAt(0))}`)],
  [
    'all \\u',
    (value) =>
      value
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
  ],
  [
    'HTML',
    (value) =>
      value
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;')
        .replaceAll("'", '&#39;'),
  ],
  ['HTML of a text node', (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
  ['all entities', (value) => [...value].map((character) => `&#${character.codePointAt(0)};`).join('')],
  [
    'all hexadecimal entities',
    (value) => [...value].map((character) => `&#x${character.codePointAt(0)?.toString(16)};`).join(''),
  ],
  ['UTF-16LE read as bytes', (value) => Buffer.from(value, 'utf16le').toString('latin1')],
  ['UTF-16BE read as bytes', (value) => Buffer.from(value, 'utf16le').swap16().toString('latin1')],
  ['UTF-8 read as bytes', (value) => utf8(value).toString('latin1')],
  ['reversed', (value) => [...value].reverse().join('')],
];

const NESTED: readonly (readonly [string, (value: string) => string])[] = [
  ['base64 of base64', (value) => utf8(utf8(`x${value}`).toString('base64')).toString('base64')],
  [
    'base64 of base64 of base64',
    (value) => utf8(utf8(utf8(value).toString('base64')).toString('base64')).toString('base64'),
  ],
  [
    'base64 glued to a word',
    (value) => `token_${utf8(`{"k":"${utf8(value).toString('base64')}"}`).toString('base64')}`,
  ],
  [
    'wrapped base64',
    (value) =>
      utf8(`--- ${value} --- ${'.'.repeat(99)}`)
        .toString('base64')
        .replace(/.{64}/g, '$&\r\n'),
  ],
  ['hex with colons', (value) => all(value, (byte) => `:${hex2(byte)}`).slice(1)],
  ['hex as C', (value) => all(value, (byte) => `0x${hex2(byte)}, `)],
  ['hex with \\x', (value) => all(value, (byte) => `\\x${hex2(byte)}`)],
  ['hex of base64', (value) => utf8(utf8(value).toString('base64')).toString('hex')],
  [
    'mixed escapes',
    (value) =>
      value
        .split('')
        .map((unit, at) =>
          at % 3 === 0 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit === '\\' ? '\\\\' : unit,
        )
        .join(''),
  ],
  ['percent of percent', (value) => encodeURIComponent(all(value, (byte) => `%${hex2(byte)}`))],
  ['character codes', (value) => [...utf8(value)].join(', ')],
  ['gzip and base64', (value) => gzipSync(`the key is ${value}, so`).toString('base64')],
  ['zlib and hex', (value) => deflateSync(`the key is ${value}, so`).toString('hex')],
  [
    'gzip that was cut off',
    (value) =>
      gzipSync(`the key is ${value}, so ${made('tail', 80)}`, { level: 0 })
        .subarray(0, -40)
        .toString('base64'),
  ],
];

const SPLIT: readonly (readonly [string, string])[] = [
  ['zero-width space', '\u200b'],
  ['soft hyphen', '\u00ad'],
  ['byte order mark', '\ufeff'],
  ['line break', '\r\n    '],
  ['terminal colour', '\x1b[1;31m'],
  ['terminal title', '\x1b]0;title\x07'],
  ['HTML comment', '<!-- a comment -->'],
  ['tag character', '\u{e0041}'],
  ['variation selector', '\ufe0f'],
];

/** None of the ways to write a value may still be there. */
function expectGone(text: string, value: string) {
  for (const [way, write] of WAYS.slice(0, 8)) expect(text, way).not.toContain(write(value).slice(4, -6));
}

test.each(WAYS)('redactText: finds a value as %s', (_, write) => {
  for (const value of [PLAIN, HARD]) {
    const { text, hits, withheld } = knowing({ key: value }).redactText(`before ${write(value)} after`, ME);
    expect(withheld).toBe(false);
    expect(text).toMatch(/^before .*\[redacted:key\].* after$/s);
    expect(hits[0]).toMatchObject({ name: 'key', version: '1', foreign: false });
    expectGone(text, value);
  }
});

test.each(NESTED)('redactText deep: finds a value as %s, and removes the whole blob', (_, write) => {
  for (const value of [PLAIN, HARD]) {
    const redactor = knowing({ key: value });
    const { text, complete } = redactor.redactText(`before ${write(value)} after`, { ...ME, deep: true });
    expect(complete).toBe(true);
    expect(text).toContain('[redacted:key]');
    expect(text).toMatch(/^before .{0,9}\[redacted:key\][^a-z]{0,4} after$/s);
  }
});

test('redactText deep: a blob that was first seen too deep to be opened is opened where it is not', () => {
  const encode = (text: string, times: number): string =>
    times === 0 ? text : encode(utf8(text).toString('base64'), times - 1);
  const blob = encode(PLAIN, 4);
  const { text } = knowing({ key: PLAIN }).redactText(`${encode(blob, 2)} then ${blob}`, { ...ME, deep: true });
  expect(text).toBe(`${encode(blob, 2)} then [redacted:key]=`);
});

test('redactText deep: what unpacks to more than the limit is said to be unread', () => {
  const bomb = gzipSync(Buffer.alloc(1_048_576)).toString('base64');
  expect(knowing({ key: PLAIN }).redactText(`${bomb} x`, { ...ME, deep: true })).toMatchObject({
    hits: [],
    complete: false,
  });
});

test.each(SPLIT)('redactText squash: finds a value that is split by a %s', (_, splitter) => {
  const redactor = knowing({ key: PLAIN });
  const split = PLAIN.split('').join(splitter);
  expect(redactor.redactText(`a ${split} b`, ME).text).toBe(`a ${split} b`);
  expect(redactor.redactText(`a ${split} b`, { ...ME, squash: true }).text).toBe('a [redacted:key] b');
});

test('redactText: also finds each line of a key, and the key as one line', () => {
  const lines = [1, 2, 3].map((at) => made(`line ${at}`, 64));
  const pem = ['-----BEGIN TEST KEY-----', ...lines, '-----END TEST KEY-----', ''].join('\n');
  const redactor = knowing({ key: pem });
  expect(redactor.redactText(`> ${lines[1]} <`, ME).text).toBe('> [redacted:key] <');
  expect(redactor.redactText(`${JSON.stringify(pem)}`, ME).text).toBe('"[redacted:key]\\n"');
  expect(redactor.redactText(`> ${lines.join('')} <`, ME).text).not.toContain(lines[0]?.slice(0, 12));
  expect(redactor.redactText('-----BEGIN TEST KEY-----', ME).hits).toEqual([]);
});

test('redactText: removes the whole of values that overlap, or lie in one another', () => {
  const [one, two] = [made(1), made(2)];
  const redactor = knowing({ one: one + two.slice(0, 16), two, inner: one.slice(4, 24) });
  expect(redactor.redactText(`<${one}${two}>`, ME).text).toBe('<[redacted:one]>');
  expect(redactor.redactText(`<${one.slice(1, 25)}>`, ME).text).toBe(
    `<${one.slice(1, 4)}[redacted:inner]${one.slice(24, 25)}>`,
  );
});

test('redactText: a value of another tenant is removed without its name', () => {
  const redactor = knowing({ theirs: PLAIN }, 'them');
  const { text, hits } = redactor.redactText(`x ${PLAIN}`, ME);
  expect(text).toBe('x [redacted]');
  expect(hits).toEqual([{ foreign: true, start: 2, length: 32, encoding: 'raw' }]);
  expect(redactor.redactText(`x ${PLAIN}`).text).toBe('x [redacted]');
  redactor.add('mine', '7', PLAIN, 'me');
  expect(redactor.redactText(`x ${PLAIN}`, ME).text).toBe('x [redacted:mine]');
});

test('redactText: a placeholder can neither hold nor complete a value', () => {
  const tail = made('tail', 12);
  const values = [
    `${tail}[`,
    `${tail}[redacted`,
    `]${tail}`,
    `e]${tail}`,
    `:name]${tail}`,
    `${tail}[redacted:name]${tail}`,
    'redacted:name-xyQ7',
  ];
  for (const value of values) {
    const redactor = knowing({ name: PLAIN, 'name-xyQ7': value });
    for (const text of [`${tail}${PLAIN}${tail}`, `${value}${PLAIN}${value}`, `${PLAIN}${value.slice(-tail.length)}`]) {
      const once = redactor.redactText(text, ME);
      expect(once.withheld).toBe(false);
      expect(redactor.redactText(once.text, ME)).toMatchObject({ text: once.text, hits: [] });
      expect(once.text).not.toContain(value);
    }
  }
});

test('redactText: withholds everything if no placeholder is safe', () => {
  const tail = made('tail', 12);
  const redactor = knowing({
    name: PLAIN,
    a: `${tail}[redacted]${tail}`,
    b: `${tail}\u27e6redacted\u27e7${tail}`,
    c: `${tail}\u2588redacted\u2588${tail}`,
  });
  expect(redactor.redactText(`x ${PLAIN}`, ME)).toMatchObject({ text: '', withheld: true });
  expect(redactor.redactText('nothing here', ME)).toMatchObject({ text: 'nothing here', withheld: false });
  const stream = redactor.stream(ME);
  expect(stream.write(`x ${PLAIN}`) + stream.write('more') + stream.end()).not.toContain(PLAIN.slice(0, 8));
  expect(stream.withheld).toBe(true);
});

const codeOf = (act: () => void) => {
  try {
    act();
    return undefined;
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
};

test.each([
  '',
  'short',
  '12345678',
  '2026-11-25',
  'aaaaaaaaaaaaaaaaaaaaaaaa',
  'password1234',
  'abcabcabcabcabcabcabcabc',
  'abcdefghijklmnopqrst',
  'Secret-Admin-123',
  '  x9$Kq  ',
])('add: refuses %j, which could be guessed', (value) => {
  expect(codeOf(() => createRedactor().add('key', '1', value, 'me'))).toBe('SECRET_TOO_SHORT');
});

test.each([made('a', 12), made('b', 16, 'hex'), 'kV9$wq2!'])('add: takes %j', (value) => {
  expect(estimateBits(value)).toBeGreaterThanOrEqual(48);
  expect(codeOf(() => createRedactor().add('key', '1', value, 'me'))).toBeUndefined();
});

test('add: keeps to its limits, and refuses a name that is no name', () => {
  const redactor = createRedactor({ limits: { secrets: 1, valueBytes: 64 } });
  expect(codeOf(() => redactor.add('key', '1', made('x').repeat(3), 'me'))).toBe('SECRET_TOO_LARGE');
  redactor.add('key', '1', PLAIN, 'me');
  expect(codeOf(() => redactor.add('other', '1', HARD, 'me'))).toBe('SECRET_TOO_MANY');
  redactor.add('key', '1', made('new'), 'me');
  expect(redactor.redactText(PLAIN, ME).text).toBe(PLAIN);
  expect(codeOf(() => redactor.add('a]b', '1', PLAIN, 'me'))).toMatch(/TypeError/);
  expect(codeOf(() => createRedactor({ limits: { needleTotal: 100 } }).add('key', '1', PLAIN, 'me'))).toBe(
    'SECRET_TOO_MANY',
  );
});

test('remove: a value is text again, and what it hid is found', () => {
  const redactor = knowing({ outer: `${PLAIN}${made('rest', 8)}`, inner: PLAIN.slice(2) });
  expect(redactor.redactText(`${PLAIN}${made('rest', 8)}`, ME).text).toBe('[redacted:outer]');
  expect(redactor.remove('outer', '1', 'me')).toBe(true);
  expect(redactor.remove('outer', '1', 'me')).toBe(false);
  expect(redactor.redactText(`${PLAIN}${made('rest', 8)}`, ME).text).toBe(
    `${PLAIN.slice(0, 2)}[redacted:inner]${made('rest', 8)}`,
  );
  redactor.remove('inner', '1', 'me');
  expect(redactor.redactText(PLAIN, ME).text).toBe(PLAIN);
  expect(redactor.size).toMatchObject({ secrets: 0, needles: 0, length: 0, bytes: 0 });
});

test('redactBytes: finds values in bytes, in UTF-8 and UTF-16, and leaves other bytes alone', () => {
  const redactor = knowing({ key: HARD, blob: Buffer.from(made('blob', 64, 'hex'), 'hex') });
  const noise = Buffer.from([0, 255, 254, 128]);
  for (const written of [
    utf8(HARD),
    Buffer.from(HARD, 'utf16le'),
    Buffer.from(HARD, 'utf16le').swap16(),
    Buffer.from(made('blob', 64, 'hex'), 'hex'),
  ]) {
    const { bytes } = redactor.redactBytes(Buffer.concat([noise, written, noise]), ME);
    expect(Buffer.from(bytes).toString('latin1')).toMatch(/^\0ÿþ\x80\[redacted:(key|blob)\]\0ÿþ\x80$/);
  }
});

test('redactValue: redacts strings, keys and long numbers, and keeps keys apart', () => {
  const redactor = knowing({ key: PLAIN, digits: '8081726354817263' });
  const { value, hits } = redactor.redactValue(
    { [PLAIN]: [PLAIN, 1, null, true], [`${PLAIN}`.split('').reverse().join('')]: 8081726354817263, ok: 'x' },
    ME,
  );
  expect(value).toEqual({
    '[redacted:key]': ['[redacted:key]', 1, null, true],
    '[redacted:key]~2': '[redacted:digits]',
    ok: 'x',
  });
  expect(hits.map(({ pointer }) => pointer)).toEqual(['', '/[redacted:key]/0', '', '/[redacted:key]~02']);
  expect(Object.isFrozen(value) && Object.isFrozen((value as { '[redacted:key]': unknown })['[redacted:key]'])).toBe(
    true,
  );
  expect(redactor.redactValue(value, ME).value).toEqual(value);
});

test('redactValue: withholds what lies too deep', () => {
  const redactor = createRedactor({ limits: { valueDepth: 2 } });
  expect(redactor.redactValue([[['deep']]], ME)).toMatchObject({ value: [[null]], withheld: true });
});

/** Values of a small alphabet that overlap each other and placeholders a lot. */
const tricky = fc
  .array(fc.constantFrom('ab', '[', ']', 'redacted', ':n', 'x9', '~', 'Qz', '\u27e6', '\n', '\u200b', '%', 'é'), {
    minLength: 5,
    maxLength: 9,
  })
  .map((parts) => parts.join(''))
  .filter((value) => estimateBits(value.trim()) >= 48 && value.trim().length >= 8);
const world = fc.uniqueArray(tricky, { minLength: 1, maxLength: 5 }).chain((values) =>
  fc.record({
    values: fc.constant(values),
    chunks: fc.array(
      fc.oneof(
        fc.constantFrom(...values),
        fc
          .constantFrom(...values, 'ab', '[', ']', 'redacted', ':n')
          .chain((value) => fc.nat(value.length).map((at) => value.slice(at))),
        fc.constantFrom(...values).chain((value) => fc.nat(value.length).map((at) => value.slice(0, at))),
        fc.constantFrom(...values).chain((value) => fc.constantFrom(...WAYS).map(([, write]) => write(value))),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 12 },
    ),
  }),
);

const named = (values: readonly string[]) => knowing(Object.fromEntries(values.map((value, at) => [`n${at}`, value])));

test.each<[string, RedactOptions]>([
  ['exact', ME],
  ['squash', { ...ME, squash: true }],
  ['deep', { ...ME, deep: true }],
])('property, %s: no value survives, and redacting again changes nothing', (_, options) => {
  fc.assert(
    fc.property(world, ({ values, chunks }) => {
      const redactor = named(values);
      const once = redactor.redactText(chunks.join(''), options);
      for (const value of values) expect(once.text).not.toContain(value);
      expect(redactor.redactText(once.text, options)).toMatchObject({ text: once.text, hits: [], withheld: false });
    }),
    { numRuns: 150 },
  );
});

test('property: chunks give what the whole text gives, whatever is added meanwhile', () => {
  fc.assert(
    fc.property(world, ({ values, chunks }) => {
      const redactor = named(values);
      const whole = redactor.redactText(chunks.join(''), ME);
      for (const pieces of [chunks, chunks.join('').split('')]) {
        const stream = redactor.stream(ME);
        const out = pieces.map((chunk, at) => {
          if (at === 2) redactor.add('late', String(at), made(`late ${chunks.length}`), 'me');
          return stream.write(chunk);
        });
        const text = out.join('') + stream.end();
        if (whole.withheld) for (const value of values) expect(text).not.toContain(value);
        else expect(text).toBe(whole.text);
        expect(stream.withheld).toBe(whole.withheld);
        redactor.remove('late', '2', 'me');
      }
    }),
    { numRuns: 150 },
  );
});

test('property: text without values is left alone', () => {
  const redactor = knowing({ key: PLAIN, hard: HARD });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      for (const options of [ME, { ...ME, deep: true }])
        expect(redactor.redactText(text, options)).toEqual({ text, hits: [], withheld: false, complete: true });
    }),
  );
});

test('property: layers and removals find what one automaton over the same values finds', () => {
  const values = Array.from({ length: 12 }, (_, at) => made(`layer ${at}`, 12 + at));
  const text = values.flatMap((value) => [value, utf8(value).toString('base64'), '\n']).join(' ');
  fc.assert(
    fc.property(fc.array(fc.nat(11), { maxLength: 30 }), (steps) => {
      const grown = createRedactor();
      const present = new Set<number>();
      for (const at of steps) {
        if (present.delete(at)) grown.remove(`n${at}`, '1', 'me');
        else {
          present.add(at);
          grown.add(`n${at}`, '1', values[at] ?? '', 'me');
        }
        grown.redactText(text, ME);
      }
      const fresh = createRedactor();
      for (const at of present) fresh.add(`n${at}`, '1', values[at] ?? '', 'me');
      expect(grown.redactText(text, ME)).toEqual(fresh.redactText(text, ME));
    }),
    { numRuns: 40 },
  );
});
