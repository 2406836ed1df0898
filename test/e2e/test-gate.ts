import { exitCodeOfReport, readRecords, verifyLog } from '../../src/audit/index.ts';
import { type Gate, type GateOptions, loadPolicy, openGate, type Tool } from '../../src/gate/index.ts';
import {
  approveServer,
  createUpstreams,
  fetchDefinitions,
  lockPathOf,
  type Upstreams,
} from '../../src/gateway/index.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { startIn } from './stand.ts';

export interface TestGate {
  readonly gate: Gate;
  readonly upstreams: Upstreams;
  readonly workspace: Workspace;
  readonly servers: ReadonlyMap<string, ServerRule>;
  readonly lockPath: string;
  /** Looks at a server and approves what it offers now. */
  approve(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestGateOptions {
  /** Names and patterns under `tools:`. */
  readonly allow?: readonly string[];
  /** More of the policy, as YAML. */
  readonly policy?: string;
  readonly tools?: readonly Tool[];
  /** `servers:` of the policy. */
  readonly servers?: Readonly<Record<string, object>>;
  /** Servers that are approved before the gate opens; all of them if absent. */
  readonly approved?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly workspace?: Workspace;
  /** More of the gate's options. */
  readonly gate?: Partial<GateOptions>;
}

/** A real gate with a real log in a folder of its own, and the servers of its policy behind it. */
export async function openTestGate(options: TestGateOptions): Promise<TestGate> {
  const { allow = [], tools = [], servers = {} } = options;
  const rules = allow.map((name) => `  ${name}: {}`).join('\n');
  const policy = `version: 1\ndefaults: { isolation: none }\n${rules === '' ? '' : `tools:\n${rules}\n`}${options.policy ?? ''}
${Object.keys(servers).length === 0 ? '' : `servers: ${JSON.stringify(servers)}\n`}`;
  const workspace = options.workspace ?? makeWorkspace(policy, options.files);
  if (options.workspace !== undefined) workspace.write({ 'sallyport.yaml': policy, ...options.files });
  const loaded = await loadPolicy({ policy: workspace.policyFile });
  const lockPath = lockPathOf(workspace.policyFile);
  const approve = async (name: string): Promise<void> => {
    const rule = loaded.policy.servers.get(name);
    if (rule === undefined) throw new TypeError(`no server ${name}`);
    await approveServer(rule, await fetchDefinitions(rule, { start: startIn(loaded.root) }), { lockPath });
  };
  for (const name of options.approved ?? Object.keys(servers)) await approve(name);
  const upstreams = createUpstreams({ servers: loaded.policy.servers, lockPath, root: loaded.root });
  const gate = await openGate({
    ...{ policy: loaded.policy, policyFile: workspace.policyFile, state: workspace.state },
    ...{ tools, missing: upstreams.missing, ...options.gate },
  });
  await upstreams.attach(gate);
  const close = async (): Promise<void> => {
    await upstreams.close();
    await gate.close();
    workspace.remove();
  };
  return { gate, upstreams, workspace, servers: loaded.policy.servers, lockPath, approve, close };
}

/** How many records of each type the log of a closed gate holds, after the log was verified. */
export async function verifiedRecords(gate: Gate, workspace: Workspace): Promise<Record<string, number>> {
  const { verifier } = gate.keeper;
  const report = await verifyLog({ directory: workspace.state, verifierKey: verifier, now: Date.now() });
  if (exitCodeOfReport(report) !== 0) throw new Error(`the log does not verify: ${JSON.stringify(report)}`);
  const counts: Record<string, number> = {};
  for await (const { record } of readRecords(workspace.state)) {
    counts[record.type] = (counts[record.type] ?? 0) + 1;
  }
  return counts;
}
