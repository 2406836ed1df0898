import { describe, expect, it } from 'vitest';
import { argumentsDigest, type Binding, createEnvelope, MAX_ROUNDS, ROUND_MS } from './envelope.ts';

const binding: Binding = { holder: 'h', server: 's', method: 'tools/call', arguments: argumentsDigest({ a: 1 }) };

describe('[T1.11] an envelope', () => {
  it('opens once, for what it was sealed for', () => {
    const envelope = createEnvelope(() => 0);
    const text = envelope.seal(binding, { parked: 'x' }, 2);
    expect(envelope.open(binding, text)).toEqual({ state: { parked: 'x' }, round: 2 });
    expect(envelope.open(binding, text)).toBeNull();
  });

  it.each([
    ['holder', { holder: 'other' }],
    ['server', { server: 'other' }],
    ['method', { method: 'prompts/get' }],
    ['arguments', { arguments: argumentsDigest({ a: 2 }) }],
  ])('does not open for another %s', (_name, other) => {
    const envelope = createEnvelope(() => 0);
    const text = envelope.seal(binding, 1, 1);
    expect(envelope.open({ ...binding, ...other }, text)).toBeNull();
    expect(envelope.open(binding, text)).not.toBeNull();
  });

  it('is voided by its holder alone, whatever it is for', () => {
    const envelope = createEnvelope(() => 0);
    const text = envelope.seal(binding, { parked: 'x' }, 1);
    expect(envelope.abandon('other', text)).toBeNull();
    expect(envelope.abandon('h', text.slice(0, -4))).toBeNull();
    expect(envelope.abandon('h', text)).toEqual({ parked: 'x' });
    expect(envelope.abandon('h', text)).toBeNull();
    expect(envelope.open(binding, text)).toBeNull();
  });

  it('does not open once its time is over, nor after too many rounds', () => {
    let now = 0;
    const envelope = createEnvelope(() => now);
    const text = envelope.seal(binding, 1, 1);
    now = ROUND_MS + 1;
    expect(envelope.open(binding, text)).toBeNull();
    expect(envelope.open(binding, envelope.seal(binding, 1, MAX_ROUNDS + 1))).toBeNull();
  });

  it('does not open when a single character is another one, nor in another process', () => {
    const envelope = createEnvelope(() => 0);
    const text = envelope.seal(binding, 'state', 1);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      expect(envelope.open(binding, changed), `at ${at}`).toBeNull();
    }
    expect(createEnvelope(() => 0).open(binding, text)).toBeNull();
    expect(envelope.open(binding, text)).not.toBeNull();
  });

  it.each(['', 'sp1.', 'sp1.AAAA', `sp1.${'A'.repeat(300_000)}`, 'sp2.x'])('is not %j', (text) => {
    expect(createEnvelope(() => 0).open(binding, text.slice(0, 400_000))).toBeNull();
  });

  it('shows nothing of what it holds', () => {
    const text = createEnvelope(() => 0).seal(binding, { secret: 'UPSTREAM-STATE' }, 1);
    expect(Buffer.from(text.slice(4), 'base64url').toString('latin1')).not.toContain('UPSTREAM');
  });
});

describe('the digest of arguments', () => {
  it('is the same for the same arguments in another order, and for no others', () => {
    expect(argumentsDigest({ a: 1, b: 2 })).toBe(argumentsDigest({ b: 2, a: 1 }));
    expect(argumentsDigest({ a: '1' })).not.toBe(argumentsDigest({ a: 1 }));
  });
});
