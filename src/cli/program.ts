import { Command, CommanderError, Option } from 'commander';
import { processTerminal, reportError, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';
import { packageVersion } from './version.ts';

/** What a command gives back: its exit code. */
type Action = (terminal: Terminal) => Promise<number> | number;

/**
 * Parses and runs one command line; returns the exit code: 0 fine, 1 a finding or a denial, 2 wrong use, 3 broken
 * (`audit verify`: 10 integrity, 11 completeness, 12 freshness, 13 authenticity).
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('sallyport')
    .description('A gate between AI agents and their tools: every call is decided, recorded and can be proved.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(sallyport --help shows every command)');
  const run = async (flags: CommonFlags, action: Action): Promise<void> => {
    const terminal = processTerminal(flags.json === true);
    try {
      exitCode = await action(terminal);
    } catch (error) {
      exitCode = reportError(terminal, error);
    }
  };
  addServing(program, run);
  addSandbox(program, run);
  addConnecting(program, run);
  addPolicy(program, run);
  addServers(program, run);
  addTokens(program, run);
  addKeeper(program, run);
  addApprovals(program, run);
  addOperators(program, run);
  addAudit(program, run);
  addGuard(program, run);
  addSecrets(program, run);
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The codes of `run` up to 124 are its command's.
    return error.exitCode === 0 ? 0 : words[0] === 'run' ? 125 : 2;
  }
  return exitCode;
}

type Run = (flags: CommonFlags, action: Action) => Promise<void>;

const common = (command: Command): Command =>
  command
    .option('--policy <file>', 'policy file (else ./sallyport.yaml, else the embedded one)')
    .option('--state <folder>', 'state folder (else $XDG_STATE_HOME/sallyport)')
    .option('--json', 'answer with one JSON value');

/** By whom something is done that only an operator may do. */
const byOperator = (command: Command): Command =>
  command
    .option('--as <name>', 'prove it with the credential of this operator (else with a passkey, in the console)')
    .option('--key <file>', 'its private key (PEM, Ed25519, 0600)')
    .option('--wait <duration>', 'how long it waits for a passkey, at most 10m (default 5m)')
    .option('--console-port <number>', 'port of the console in which the passkey was registered (default 7333)');

const stateOnly = (command: Command): Command =>
  command
    .option('--state <folder>', 'state folder (else $XDG_STATE_HOME/sallyport)')
    .option('--json', 'answer with one JSON value');

function addServing(program: Command, run: Run): void {
  common(program.command('up'))
    .description('MCP over HTTP on this machine: the built-in tools and the servers of the policy, behind the gate')
    .option('--host <address>', 'loopback address to listen on', '127.0.0.1')
    .option('--port <number>', 'port', '7332')
    .addOption(
      new Option('--auth <kind>', 'token, or none (loopback only)').choices(['token', 'none']).default('token'),
    )
    .option('--console-port <number>', 'port of the console, for the people who answer; 0: none', '7333')
    .option('--no-console', 'without it')
    .option('--notify <url>', 'where to send signed notices of what waits (https, or http on this machine)')
    .option('--notify-secret <file>', 'the secret that signs them: 32 bytes or more, base64url (0600)')
    .option(...PRINT_CODES)
    .option('--development', 'changes of the policy file apply at once, unapproved')
    .action((flags) => run(flags, async (terminal) => (await import('./up.ts')).up(terminal, flags)));
  common(program.command('mcp'))
    .description('the same on stdio, for an MCP client to start')
    .option('--agent <name>', 'name of the client in records and policy', 'stdio')
    .action((flags) => run(flags, async (terminal) => (await import('./mcp.ts')).mcp(terminal, flags)));
  common(program.command('call'))
    .description('one guarded call')
    .argument('<tool>', 'file_read, or mcp__SERVER__TOOL')
    .argument('<json>', 'the arguments, a JSON object')
    .option(...WAIT)
    .action((tool, json, flags) =>
      run(flags, async (terminal) => (await import('./call.ts')).call(terminal, { tool, json }, flags)),
    );
}

function addSandbox(program: Command, run: Run): void {
  common(program.command('run'))
    .description(
      'a command under the rule of the tool shell, in its sandbox; exits as the command does, 125 to 127 are ours',
    )
    .option(
      '--isolation <levels>',
      'levels that will do, best first (gvisor,bubblewrap); never weaker than the policy asks',
    )
    .option('--inspect', 'its output is text for a model: withhold what gives it instructions, and exit 125 then')
    .option(...WAIT)
    .argument('<command...>', 'the program and its arguments, after --')
    .action((words, flags) => run(flags, async (terminal) => (await import('./run.ts')).run(terminal, words, flags)));
  common(program.command('doctor'))
    .description('which isolation levels were proven on this machine, and how to get the others')
    .action((flags) => run(flags, async (terminal) => (await import('./doctor.ts')).doctor(terminal, flags)));
}

const PRINT_CODES = [
  '--print-codes',
  'print one-time codes for operators on standard error also where that is no terminal',
] as const;
const WAIT = ['--wait <duration>', 'how long a call waits for the yes of a person (default 10m)'] as const;
const PROJECT = ['--project', 'the file of the project that lies here, instead of the file of the user'] as const;
const DRY_RUN = ['--dry-run', 'print what would change; nothing is written'] as const;

function addConnecting(program: Command, run: Run): void {
  common(program.command('connect'))
    .description('point an MCP client (claude-code, cursor, vscode, …) at the gateway')
    .argument('[host]', 'the client; --list shows them')
    .option('--list', 'the clients, their files, and whether they are connected')
    .option('--http [address]', 'over HTTP with a token of its own (else the client starts the gateway on stdio)')
    .option(...PROJECT)
    .option('--also-wrap', 'name the other servers of the client, which go around the gate')
    .option(...DRY_RUN)
    .action((host, flags) =>
      run(flags, async (terminal) => (await import('./connect.ts')).connect(terminal, host, flags)),
    );
  stateOnly(program.command('disconnect'))
    .description('undo connect: the file as it was before, or without our entry if it was edited since')
    .argument('<host>', 'the client')
    .option(...PROJECT)
    .option(...DRY_RUN)
    .action((host, flags) =>
      run(flags, async (terminal) => (await import('./connect-remove.ts')).disconnect(terminal, host, flags)),
    );
}

const TOOLS = ['--tools <file>', "the tools' definitions as MCP lists them (else the built-in tools only)"] as const;
const CASES = [
  '--cases <file...>',
  'files of labelled calls, one JSON object a line (docs/policy-testing.md)',
] as const;

function addPolicy(program: Command, run: Run): void {
  const policy = program.command('policy').description('check a policy, explain a decision');
  const load = () => import('./policy-commands.ts');
  common(policy.command('check'))
    .description('load the policy; every problem with file, line, column and remedy')
    .action((flags) => run(flags, async (terminal) => (await load()).policyCheck(terminal, flags)));
  common(policy.command('explain'))
    .description('why a call would be allowed or denied; nothing runs')
    .argument('<tool>', 'file_read, or mcp__SERVER__TOOL')
    .argument('<json>', 'the arguments, a JSON object')
    .option('--principal <agent>', 'agent that calls', 'library')
    .action((tool, json, flags) =>
      run(flags, async (terminal) => (await load()).policyExplain(terminal, { tool, json }, flags)),
    );
  byOperator(common(policy.command('approve')))
    .description('look at what a changed policy file widens and narrows, and let it in')
    .option(...CASES)
    .option(...TOOLS)
    .option('--yes', 'approve without asking (the changes are printed all the same)')
    .action((flags) =>
      run(flags, async (terminal) => (await import('./policy-approve.ts')).policyApprove(terminal, flags)),
    );
  addPolicyTools(policy, run);
}

function addPolicyTools(policy: Command, run: Run): void {
  policy
    .command('test')
    .description('run labelled calls against a policy; nothing is executed')
    .requiredOption('--policies <place>', 'a policy file, or a folder of them that the cases name')
    .option(...TOOLS)
    .requiredOption(...CASES)
    .option('--json', 'answer with one JSON value')
    .action((flags) => run(flags, async (terminal) => (await import('./policy-test.ts')).policyTest(terminal, flags)));
  common(policy.command('diff'))
    .description('the calls whose decision changes between two policies, and whether the change widens')
    .argument('<a>', 'policy file in force')
    .argument('<b>', 'policy file to come')
    .option(...TOOLS)
    .option(...CASES)
    .option('--log', 'calls of the recorded log')
    .action((a, b, flags) =>
      run(flags, async (terminal) => (await import('./policy-diff.ts')).policyDiff(terminal, { a, b }, flags)),
    );
  common(policy.command('replay'))
    .description('decide the recorded calls again under a policy, and list what would change')
    .action((flags) =>
      run(flags, async (terminal) => (await import('./policy-diff.ts')).policyReplay(terminal, flags)),
    );
  policy
    .command('schema')
    .description('the JSON Schema of policy files, for editors')
    .action((flags) =>
      run(flags, async (terminal) => (await import('./policy-commands.ts')).policySchemaPrint(terminal)),
    );
}

function addServers(program: Command, run: Run): void {
  const servers = program.command('servers').description('MCP servers of the policy and their pinned definitions');
  const load = () => import('./servers-commands.ts');
  common(servers.command('list'))
    .description('the servers, whether they are approved')
    .action((flags) => run(flags, async (terminal) => (await load()).serversList(terminal, flags)));
  common(servers.command('install'))
    .description(
      'fetch the packages of the policy in a sandbox and pin them in sallyport.lock; nothing is fetched later',
    )
    .argument('[name...]', 'names under servers: in the policy (else all that have a package)')
    .option('--registry <url>', "where to fetch them (else where they came from, else npm's registry)")
    .option('--prune', 'remove what was installed for them before and is pinned no more')
    .option('--yes', 'without asking (what is done is printed all the same)')
    .action((names, flags) =>
      run(flags, async (terminal) => (await import('./servers-install.ts')).serversInstall(terminal, names, flags)),
    );
  common(servers.command('diff'))
    .description('what a server says now against what was approved')
    .argument('<name>', 'name under servers: in the policy')
    .option('--full', 'all lines, however many there are')
    .action((name, flags) => run(flags, async (terminal) => (await load()).serversDiff(terminal, name, flags)));
  byOperator(common(servers.command('approve')))
    .description("look at a server's definitions and pin them in sallyport.lock")
    .argument('<name>', 'name under servers: in the policy')
    .option('--yes', 'approve without asking (the definitions are printed all the same)')
    .option('--full', 'all lines, however many there are')
    .action((name, flags) => run(flags, async (terminal) => (await load()).serversApprove(terminal, name, flags)));
}

function addTokens(program: Command, run: Run): void {
  const token = program.command('token').description('one named token per client of the gateway');
  const load = () => import('./token-commands.ts');
  stateOnly(token.command('add'))
    .description('make a token; it is shown once')
    .argument('<name>', '1 to 40 of a-z, 0-9 and -')
    .action((name, flags) => run(flags, async (terminal) => (await load()).tokenAdd(terminal, name, flags)));
  stateOnly(token.command('list'))
    .description('names and dates, never a token')
    .action((flags) => run(flags, async (terminal) => (await load()).tokenList(terminal, flags)));
  stateOnly(token.command('revoke'))
    .description('refuse a token from now on')
    .argument('<name>', 'name of the token')
    .action((name, flags) => run(flags, async (terminal) => (await load()).tokenRevoke(terminal, name, flags)));
}

function addApprovals(program: Command, run: Run): void {
  const approvals = program.command('approvals').description('calls that wait for the yes of a person');
  const load = () => import('./approvals-commands.ts');
  const answering = (command: Command): Command =>
    stateOnly(command)
      .argument('<id>', 'ask_…, from sallyport approvals list')
      .option('--as <name>', 'answer with the credential of this operator')
      .option('--key <file>', 'its private key (PEM, Ed25519, 0600)');
  stateOnly(approvals.command('list', { isDefault: true }))
    .description('what waits, and until when')
    .action((flags) => run(flags, async (terminal) => (await load()).approvalsList(terminal, flags)));
  stateOnly(approvals.command('show'))
    .description('the whole of one request, as it will be executed')
    .argument('<id>', 'ask_…, from sallyport approvals list')
    .action((id, flags) => run(flags, async (terminal) => (await load()).approvalsShow(terminal, id, flags)));
  answering(approvals.command('approve'))
    .description('look at the whole of it, and say yes')
    .option('--scope <scope>', 'once, session, until, or a number of times', 'once')
    .option('--for <duration>', 'how long the wider scopes hold, at most a day (default 1h)')
    .option('--free <argument...>', 'arguments that may be any')
    .option('--yes', 'without asking (the request is printed all the same)')
    .action((id, flags) => run(flags, async (terminal) => (await load()).approvalsApprove(terminal, id, flags)));
  answering(approvals.command('deny'))
    .description('say no')
    .option('--reason <text>', 'why, for the record', 'denied by the operator')
    .action((id, flags) => run(flags, async (terminal) => (await load()).approvalsDeny(terminal, id, flags)));
}

function addOperators(program: Command, run: Run): void {
  const operators = program.command('operators').description('the credentials that may answer');
  const load = () => import('./operators-commands.ts');
  const proving = (command: Command): Command =>
    stateOnly(command)
      .argument('<name>', '1 to 40 of a-z, 0-9 and -')
      .option('--as <name>', 'by the proof of this operator, instead of a one-time code')
      .option('--key <file>', 'its private key (PEM, Ed25519, 0600)');
  stateOnly(operators.command('list', { isDefault: true }))
    .description('names, people, groups and classes, never a secret')
    .action((flags) => run(flags, async (terminal) => (await load()).operatorsList(terminal, flags)));
  proving(operators.command('add'))
    .description('let a credential in; asks for the one-time code that the keeper prints on its own terminal')
    .addOption(
      new Option('--class <class>', 'what it is').choices(['user-id', 'webhook', 'passkey']).makeOptionMandatory(),
    )
    .option('--user <person>', 'the person behind it (else its name)')
    .option('--group <group...>', 'groups that policies may name')
    .option('--public-key <file>', 'user-id: its public key (PEM, Ed25519)')
    .option('--uid <number>', 'user-id: the user id that owns the private key')
    .option('--secret-file <file>', 'webhook: 32 bytes or more, base64url (0600)')
    .action((name, flags) => run(flags, async (terminal) => (await load()).operatorsAdd(terminal, name, flags)));
  proving(operators.command('remove'))
    .description('take a credential away')
    .action((name, flags) => run(flags, async (terminal) => (await load()).operatorsRemove(terminal, name, flags)));
}

function addAudit(program: Command, run: Run): void {
  const audit = program.command('audit').description('read and verify the log');
  const load = () => import('./audit-commands.ts');
  stateOnly(audit.command('verify'))
    .description('check every record against the signed checkpoint')
    .option('--max-age <duration>', 'how old the last record of an open log may be, e.g. 10m (default 3m)')
    .option('--key <vkey>', "the log's public key from a trusted place (else the one beside the log)")
    .action((flags) => run(flags, async (terminal) => (await load()).auditVerify(terminal, flags)));
  stateOnly(audit.command('show'))
    .description('one session as a readable page')
    .argument('<session>', 'ses_…, from sallyport audit sessions')
    .action((session, flags) => run(flags, async (terminal) => (await load()).auditShow(terminal, session, flags)));
  stateOnly(audit.command('tail'))
    .description('the last records')
    .option('-n, --lines <count>', 'how many', '20')
    .option('-f, --follow', 'go on with new records')
    .action((flags) => run(flags, async (terminal) => (await load()).auditTail(terminal, flags)));
  stateOnly(audit.command('sessions'))
    .description('the sessions of the log')
    .action((flags) => run(flags, async (terminal) => (await load()).auditSessions(terminal, flags)));
  byOperator(stateOnly(audit.command('unknown')))
    .description('calls of which nobody knows how they ended')
    .option('--settle <record>', 'take one off the list, once you found out')
    .action((flags) => run(flags, async (terminal) => (await load()).auditUnknown(terminal, flags)));
}

function addSecrets(program: Command, run: Run): void {
  const load = () => import('./secrets-commands.ts');
  const secrets = program
    .command('secrets')
    .description('the local keystore and what the policy refers to; never a value');
  common(secrets.command('set').argument('<name>', 'its name in the keystore'))
    .description('store a new version, read from a prompt or a pipe')
    .action((name, flags) => run(flags, async (terminal) => (await load()).secretsSet(terminal, name, flags)));
  common(secrets.command('list'))
    .description('what the keystore has, and which secrets the policy sends where')
    .action((flags) => run(flags, async (terminal) => (await load()).secretsList(terminal, flags)));
  common(secrets.command('check'))
    .description('resolve each secret of the policy once; exit code 1 when one fails')
    .action((flags) => run(flags, async (terminal) => (await load()).secretsCheck(terminal, flags)));
}

function addGuard(program: Command, run: Run): void {
  const guard = program.command('guard').description('inspect text for instructions to a model and for hidden content');
  guard
    .command('scan')
    .description('inspect a file or standard input; exit code 1 when it is quarantined or blocked')
    .argument('[file]', 'file to read (else standard input)')
    .option('--jsonl', 'a {"id","text","kind"?} on each line; answers each with a line, exit code 0 also with findings')
    .option('--kind <kind>', 'tool_output, tool_description or user_prompt', 'tool_output')
    .option('--json', 'answer with one JSON value')
    .action((file, flags) =>
      run(flags, async (terminal) => (await import('./guard-commands.ts')).guardScan(terminal, file, flags)),
    );
  const load = () => import('./guard-held.ts');
  stateOnly(guard.command('held'))
    .description('results that were withheld; exit code 1 when there are any')
    .action((flags) => run(flags, async (terminal) => (await load()).guardHeld(terminal, flags)));
  stateOnly(guard.command('show').argument('<record>', 'its number'))
    .description('what was withheld: words of a stranger, made harmless for a terminal')
    .action((record, flags) => run(flags, async (terminal) => (await load()).guardShow(terminal, record, flags)));
  byOperator(stateOnly(guard.command('release').argument('<record>', 'its number')))
    .description('let exactly this result through when it comes again, for 24 hours')
    .action((record, flags) => run(flags, async (terminal) => (await load()).guardRelease(terminal, record, flags)));
}

function addKeeper(program: Command, run: Run): void {
  const load = () => import('./keeper-commands.ts');
  const keeper = program.command('keeper').description('the keeper as a process of its own; its peers');
  // The default, and not the group itself: options of a group would be taken from its commands.
  stateOnly(keeper.command('serve', { isDefault: true }))
    .description('own the state and serve gates of other processes until stopped')
    .option('--socket <file>', 'path of its socket (else in the state folder)')
    .option('--console-port <number>', 'serve the console on this port, for the people who answer (else none)')
    .option(...PRINT_CODES)
    .action((flags) => run(flags, async (terminal) => (await load()).keeperServe(terminal, flags)));
  const peer = keeper.command('peer').description('tokens of gates that run under another user id');
  stateOnly(peer.command('add'))
    .description('make a token and write it to a file')
    .argument('<name>', '1 to 40 of a-z, 0-9 and -')
    .requiredOption('--token-file <file>', 'where to write it (0600); give it to the user that runs the gate')
    .option('--operator', 'may also take stops back')
    .action((name, flags) => run(flags, async (terminal) => (await load()).peerAdd(terminal, name, flags)));
  stateOnly(peer.command('list'))
    .description('names and roles, never a token')
    .action((flags) => run(flags, async (terminal) => (await load()).peerList(terminal, flags)));
  stateOnly(peer.command('revoke'))
    .description('cut a peer off and refuse it from then on')
    .argument('<name>', 'name of the peer')
    .action((name, flags) => run(flags, async (terminal) => (await load()).peerRevoke(terminal, name, flags)));
  addStops(program, run);
}

function addStops(program: Command, run: Run): void {
  const load = () => import('./stop-commands.ts');
  const WHAT = ['<what>', 'all, a session (ses_…), or the name of an agent'] as const;
  stateOnly(program.command('stop'))
    .description('deny every call, those of a session, or those of an agent, in every process')
    .argument(...WHAT)
    .option('--reason <text>', 'why, for the record', 'stopped by the operator')
    .action((what, flags) => run(flags, async (terminal) => (await load()).stop(terminal, what, flags)));
  byOperator(stateOnly(program.command('resume')))
    .description('take a stop back')
    .argument(...WHAT)
    .action((what, flags) => run(flags, async (terminal) => (await load()).resume(terminal, what, flags)));
  stateOnly(program.command('stops'))
    .description('the stops in force')
    .action((flags) => run(flags, async (terminal) => (await load()).stops(terminal, flags)));
}
