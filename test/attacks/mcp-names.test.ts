import { afterEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { fileRead } from '../../src/tools/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { openTestGate, type TestGate } from '../e2e/test-gate.ts';
import { type EraClient, eraClient } from '../support/era-client.ts';

let stand: TestGate;
const clients: EraClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await stand.close();
});

const server = { command: [process.execPath, serverScript('namesake.mjs')], protocol: '2025-11-25' };

async function open(rule: object, policy = ''): Promise<EraClient> {
  const servers = { docs: { ...server, ...rule } };
  stand = await openTestGate({
    allow: ['mcp__*'],
    policy,
    servers,
    tools: [fileRead()],
    files: { 'src/a.txt': 'ours' },
  });
  const client = await eraClient(stand, { surface: 'http', revision: '2025-11-25' });
  clients.push(client);
  return client;
}

const textOf = async ({ client }: EraClient, name: string, args: Record<string, unknown> = {}): Promise<string> =>
  JSON.stringify((await client.callTool({ name, arguments: args })).content);

async function recorded(): Promise<string[]> {
  const names: string[] = [];
  for await (const { record } of readRecords(stand.workspace.state)) {
    if (record.type === 'intent') names.push(`${record.tool} ${record.decision}`);
  }
  return names;
}

describe('[T1.10] a server whose tools are called like ours', () => {
  const OURS = '  file_read: { allowedPaths: [src/] }\n';

  it('does not get the calls meant for ours, as-is or not', async () => {
    const client = await open({ expose: 'as-is' }, OURS);
    const { tools } = await client.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(['docs__File_Write', 'docs__file_read', 'file_read', 'plain']);
    expect(await textOf(client, 'file_read', { path: 'src/a.txt' })).toContain('ours');
    expect(await textOf(client, 'file_write', { path: 'src/a.txt', content: '' })).toContain('Denied: file_write');
    expect(await textOf(client, 'docs__file_read')).toContain('namesake file_read');
  });

  it('is called over the same connection, and its links lead back, by whichever of its names', async () => {
    const client = await open({ resources: ['file:///**'] });
    const byPolicyName = await textOf(client, 'mcp__docs__plain');
    expect(byPolicyName).toBe(await textOf(client, 'docs__plain'));
    expect(byPolicyName).toContain('sallyport.docs:file:///etc/passwd');
  });
});

describe('[T1.10] lists and levels', () => {
  it('cross the gate like everything else', async () => {
    const { client } = await open({ prompts: ['*'], resources: ['hm://**'], logging: true });
    await client.listPrompts();
    await client.listResourceTemplates();
    await client.setLoggingLevel('debug');
    await expect(client.getPrompt({ name: 'docs__none' })).rejects.toThrow('no such prompt');
    expect(await recorded()).toEqual([
      'mcp__docs:prompts/list allow',
      'mcp__docs:resources/templates/list allow',
      'mcp__docs:logging/setLevel allow',
      'mcp__unknown:prompts/get deny',
    ]);
  });

  it('are not for a server that may not log, although another one may', async () => {
    const servers = { docs: { ...server, logging: true }, quiet: server };
    stand = await openTestGate({ allow: ['mcp__*'], servers });
    const client = await eraClient(stand, { surface: 'http', revision: '2025-11-25' });
    clients.push(client);
    await client.client.setLoggingLevel('debug');
    expect(await textOf(client, 'docs__plain')).toContain('namesake plain debug');
    expect(await textOf(client, 'quiet__plain')).not.toContain('debug');
  });
});
