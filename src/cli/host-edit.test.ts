import { describe, expect, test } from 'vitest';
import { SallyportError } from '../core/index.ts';
import { serversIn, withEntry, withoutEntry } from './host-edit.ts';
import { hostNamed } from './host-place.ts';

const ENTRY = { command: '/n "x" \\', args: ['mcp', "it's"] };
const codex = hostNamed('codex');
const claude = hostNamed('claude-code');
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return error instanceof SallyportError ? error.code : String(error);
  }
  return 'none';
};

describe('TOML', () => {
  test.each([
    '',
    'model = "x" # mine\n',
    'model = "x"\n\n[mcp_servers.other]\ncommand = "y" # keep\n',
    'model = "x"\r\n[mcp_servers]\r\n[a.b]\r\nd = 1979-05-27T07:32:00Z\r\n',
    '# only a comment\n',
  ])('an entry goes to the end of %j and comes out again', (text) => {
    const added = withEntry(codex, text, ENTRY);
    expect(added.startsWith(text)).toBe(true);
    expect(serversIn(codex, added).get('sallyport')).toEqual(ENTRY);
    expect(withoutEntry(codex, added)).toBe(text);
    expect(withEntry(codex, added, ENTRY)).toBe(added);
  });

  test('a table that another program wrote is replaced, with what is below it; comments about others stay', () => {
    const text =
      'a = 1\n\n# mine\n[mcp_servers."sallyport"]\ncommand = "x"\nargs = [\n  "y",\n]\n\n[mcp_servers.sallyport.env]\nK = "v"\n\n# b\n[b]\nc = 2\n';
    expect(withoutEntry(codex, text)).toBe('a = 1\n\n# mine\n\n# b\n[b]\nc = 2\n');
    expect(serversIn(codex, withEntry(codex, text, ENTRY)).get('sallyport')).toEqual(ENTRY);
  });

  test.each(['mcp_servers = { a = { command = "x" } }\n', 'mcp_servers = 1\n', 'a = \n'])('refuses %j', (text) => {
    expect(codeOf(() => withEntry(codex, text, ENTRY))).toBe('CONNECT_SYNTAX');
  });

  test.each([
    "note = '''\n[mcp_servers.sallyport]\n'''\n[mcp_servers.sallyport]\ncommand = \"x\"\n",
    '[mcp_servers]\nsallyport = { command = "x" }\n',
    'mcp_servers.sallyport.command = "x"\n',
  ])('what cannot be told apart with certainty is left alone: %j', (text) => {
    expect(codeOf(() => withoutEntry(codex, text))).toBe('CONNECT_SYNTAX');
  });
});

describe('JSON', () => {
  test('a byte order mark stays', () => {
    const added = withEntry(claude, '\uFEFF{}', ENTRY);
    expect(added.startsWith('\uFEFF{')).toBe(true);
    expect(serversIn(claude, added).get('sallyport')).toEqual(ENTRY);
  });

  test('an entry is replaced, others stay', () => {
    const text = '{"mcpServers":{"sallyport":{"command":"old"},"b":{"env":{"K":"v"}}}}';
    const added = withEntry(claude, text, ENTRY);
    expect(JSON.parse(added)).toEqual({ mcpServers: { b: { env: { K: 'v' } }, sallyport: ENTRY } });
    expect(withoutEntry(claude, added)).toBe('{"mcpServers":{"b":{"env":{"K":"v"}}}}'.replace('}}}}', '}}\n  }}'));
  });

  test('the object of servers goes too where it was made for us', () => {
    expect(withoutEntry(claude, withEntry(claude, '{\n  "a": 1\n}\n', ENTRY), true)).toBe('{\n  "a": 1\n}\n');
  });

  test.each(['{"mcpServers":[]}', '{"mcpServers":"x"}'])('refuses %s', (text) => {
    expect(codeOf(() => withEntry(claude, text, ENTRY))).toBe('CONNECT_SYNTAX');
  });
});
