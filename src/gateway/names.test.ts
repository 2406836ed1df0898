import { describe, expect, it } from 'vitest';
import { clientToolName, exposeTools, policyNameOfUnlisted, policyToolName } from './names.ts';

describe('policyToolName', () => {
  it.each([
    ['files', 'read', 'mcp__files__read'],
    ['files', 'read__all', 'mcp__files__read__all'],
    ['files', 'fs.read', 'mcp__files__fs_read_4074bc02'],
    ['files', 'fs/read', 'mcp__files__fs_read_96379919'],
    ['files', 'rеad', 'mcp__files__r_ad_e0d37576'], // a Cyrillic letter
  ])('%s, %s -> %s', (server, tool, name) => {
    expect(policyToolName(server, tool)).toBe(name);
  });

  it('cuts a name beyond 128 characters and tells two of them apart', () => {
    const names = ['a', 'b'].map((end) => policyToolName('files', 'x'.repeat(200) + end));
    expect(names.map((name) => name.length)).toEqual([128, 128]);
    expect(new Set(names).size).toBe(2);
  });
});

describe('clientToolName', () => {
  it.each([
    ['file_read', 'file_read'],
    ['mcp__files__read', 'files__read'],
  ])('%s -> %s', (policyName, name) => {
    expect(clientToolName(policyName)).toBe(name);
  });

  it('cuts a name beyond 64 characters, always in the same way', () => {
    const name = clientToolName(`mcp__files__${'x'.repeat(80)}`);
    expect(name).toBe(`files__${'x'.repeat(48)}_73287f5c`);
    expect(name).toHaveLength(64);
  });
});

describe('policyNameOfUnlisted', () => {
  it.each([
    ['rm', 'rm'],
    ['files__rm', 'mcp__files__rm'],
    ['mcp__files__rm', 'mcp__files__rm'],
  ])('%s -> %s', (name, policyName) => {
    expect(policyNameOfUnlisted(name)).toBe(policyName);
  });

  it('makes a name that is too long none that a tool could have', () => {
    const name = policyNameOfUnlisted('x'.repeat(1_000_000));
    expect(name).toHaveLength(128);
    expect(name).toMatch(/…$/);
  });
});

describe('exposeTools', () => {
  it('leaves out both of two names that differ in letter case only', () => {
    const { exposed, collisions } = exposeTools(['read', 'Read', 'write'], (name) => name);
    expect([...exposed.keys()]).toEqual(['write']);
    expect(collisions).toEqual(['read', 'Read']);
  });
});
