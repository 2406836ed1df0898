import * as crypto from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, signCheckpoint, statedSize } from './checkpoint.ts';
import { newLogKey } from './log-key.ts';
import { EMPTY_ROOT } from './merkle.ts';
import { openNote, parseVerifierKey, signerOf, signNote, verifierOf } from './signed-note.ts';

/** The key, the text and the note of golang.org/x/mod/sumdb/note, on which the specification rests. */
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const peter = parseVerifierKey(VKEY);
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]);
const peterSigner = signerOf('PeterNeumann', crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
const forged = expect.objectContaining({ code: 'AUDIT_FORGED' });
const other = newLogKey('EnochRoot');

describe('signed notes', () => {
  it('verify the note that Go signs', () => {
    expect(openNote(Buffer.from(NOTE), peter)).toBe(TEXT);
  });

  it('are signed byte for byte as Go signs them', () => {
    expect(signNote(TEXT, peterSigner)).toBe(NOTE);
    expect(peterSigner.verifier.vkey).toBe(VKEY);
  });

  it('pass over the signatures of other keys, before and behind', () => {
    const line = signNote(TEXT, other).slice(TEXT.length + 1);
    const ours = NOTE.slice(TEXT.length + 1);
    expect(openNote(Buffer.from(`${TEXT}\n${line}${ours}`), peter)).toBe(TEXT);
    expect(openNote(Buffer.from(`${TEXT}\n${ours}${line}`), peter)).toBe(TEXT);
    expect(() => openNote(Buffer.from(`${TEXT}\n${line}`), peter)).toThrow(forged);
  });

  it('are spoiled by one wrong signature of a known key', () => {
    const ours = NOTE.slice(TEXT.length + 1);
    const wrong = `\u2014 PeterNeumann ${Buffer.concat([peter.id, Buffer.alloc(64)]).toString('base64')}\n`;
    expect(() => openNote(Buffer.from(`${TEXT}\n${ours}${wrong}`), peter)).toThrow(forged);
  });

  it('do not survive the change of any single bit', () => {
    const note = Buffer.from(NOTE);
    for (let bit = 0; bit < note.length * 8; bit++) {
      note[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => openNote(note, peter), `bit ${bit}`).toThrow(forged);
      note[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it.each([
    ['no signature', TEXT],
    ['an empty signature block', `${TEXT}\n`],
    ['a control character in the text', NOTE.replace('think', 'th\u001bnk')],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from([0xff]), Buffer.from(NOTE)])],
    ['a hyphen for the dash', NOTE.replace('\u2014', '-')],
    ['base64 of another spelling', NOTE.replace('AM=', 'AN=')],
    ['a missing last line break', NOTE.slice(0, -1)],
    ['101 signatures', `${TEXT}\n${NOTE.slice(TEXT.length + 1).repeat(101)}`],
    ['a flood', Buffer.alloc(100_000, 'a\n')],
  ])('are refused with %s', (_, note) => {
    expect(() => openNote(Buffer.from(note), peter)).toThrow(forged);
  });
});

describe('parseVerifierKey', () => {
  it.each(
    [
      [
        '',
        'PeterNeumann',
        'PeterNeumann+c74f20a3',
        'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
      ],
      [VKEY.replace('Peter', 'Pater'), VKEY.replace('+AR', '+AB'), `${VKEY} `, VKEY.replace('TW', 'TX')],
    ].flat(),
  )('refuses %j', (vkey) => {
    expect(() => parseVerifierKey(vkey)).toThrow(forged);
  });

  it('gives back what verifierOf made', () => {
    expect(parseVerifierKey(other.verifier.vkey).id.equals(other.verifier.id)).toBe(true);
    expect(() => verifierOf('two words', other.verifier.key)).toThrow(forged);
  });
});

describe('checkpoints', () => {
  const log = newLogKey('example.com/log');
  const signed = signCheckpoint({ size: 7, root: EMPTY_ROOT }, log);

  it('say origin, size and root', () => {
    const opened = openCheckpoint(signed.note, log.verifier);
    expect([opened.origin, opened.size, opened.root.equals(EMPTY_ROOT)]).toEqual(['example.com/log', 7, true]);
    expect(statedSize(signed.note)).toBe(7);
  });

  it.each([
    ['another origin', 'example.org/log\n7\n'],
    ['a leading zero', 'example.com/log\n07\n'],
    ['a negative size', 'example.com/log\n-7\n'],
    ['a size beyond 2^53-1', 'example.com/log\n9007199254740992\n'],
  ])('are refused with %s, even if signed', (_, head) => {
    const note = Buffer.from(signNote(`${head}${EMPTY_ROOT.toString('base64')}\n`, log));
    expect(() => openCheckpoint(note, log.verifier)).toThrow(forged);
  });

  it.each([
    'example.com/log\n7\n',
    'example.com/log\n7\nAAAA\n',
    `example.com/log\n7\n${EMPTY_ROOT.toString('base64')}\nmore\n`,
  ])('are refused with the body %j, even if signed', (body) => {
    expect(() => openCheckpoint(Buffer.from(signNote(body, log)), log.verifier)).toThrow(forged);
  });
});
