import { SallyportError } from '../core/index.ts';
import { type HttpFront, type ServerStatus, serveHttp } from '../gateway/index.ts';
import { localUser, TokenFolder } from '../keeper/index.ts';
import { DEVELOPMENT, OBSERVING, type OpenedGateway, openGateway } from './open-gateway.ts';
import { noticeTo, safeLines, type Terminal } from './output.ts';
import { reportFailures } from './server-failures.ts';
import { type CommonFlags, type Settings, settingsOf } from './settings.ts';
import { untilStopped } from './until-stopped.ts';
import { type ConsoleFlags, checkConsoleFlags, codePrinter, openUpConsole, type UpConsole } from './up-console.ts';
import { packageVersion } from './version.ts';
import { noteOfWaiting } from './waiting-calls.ts';

export interface UpFlags extends CommonFlags, ConsoleFlags {
  readonly host: string;
  readonly port: string;
  readonly auth: 'token' | 'none';
  readonly development?: boolean;
}

/** Name of the client that needs no `token add`: its token lies in the state folder and is printed at each start. */
const FIRST_CLIENT = 'local';

/** `up`: serves MCP over HTTP until it is told to stop; then drains and writes the shutdown record. */
export async function up(terminal: Terminal, flags: UpFlags): Promise<number> {
  const settings = settingsOf(flags);
  const port = portOf(flags.port);
  checkConsoleFlags(flags);
  const development = flags.development === true;
  const gateway = await openGateway(settings, {
    development,
    onPolicyNotice: noticeTo(terminal),
    onApprovalWaiting: noteOfWaiting(terminal, flags),
    ...codePrinter(terminal, flags),
  });
  reportFailures(terminal, gateway.upstreams);
  let front: HttpFront | null = null;
  let console: UpConsole | null = null;
  try {
    console = await openUpConsole(terminal, gateway.gate.keeper.state, flags);
    front = await serve(gateway, { ...flags, port }, console);
    const token = flags.auth === 'token' ? firstToken(gateway) : null;
    terminal.out(
      terminal.json
        ? JSON.stringify(startedJson(gateway, front, { token, console: console.address }))
        : started(gateway, settings, front, { auth: flags.auth, token, console: console.address }),
    );
    const signal = await untilStopped();
    terminal.err(`\n${signal}: letting running calls end …`);
    await front.close();
    await console.close();
    await gateway.close(signal);
  } catch (error) {
    await front?.close(0);
    await console?.close();
    await gateway.close('it could not be served');
    throw error;
  }
  return 0;
}

function portOf(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw new SallyportError('USAGE', 'a port is a number from 0 to 65535');
  return port;
}

const serve = (
  { gate, upstreams }: OpenedGateway,
  flags: { host: string; port: number; auth: 'token' | 'none' },
  console: UpConsole,
) =>
  serveHttp({
    gate,
    authenticate:
      flags.auth === 'none'
        ? 'none'
        : (token) => {
            console.presentedAsToken(token);
            return gate.keeper.authenticate(token);
          },
    local: { user: localUser(), agent: FIRST_CLIENT },
    ...{ host: flags.host, port: flags.port, version: packageVersion() },
    ...(console.url === null ? {} : { console: console.url }),
    upstreams,
    onError: (error) => process.stderr.write(`${safeLines(String(error))}\n`),
  });

/** Null where the state belongs to another user's keeper: its operator adds tokens there. */
const firstToken = ({ gate }: OpenedGateway): string | null =>
  (process.env['SALLYPORT_KEEPER'] ?? '') === ''
    ? new TokenFolder(gate.keeper.state).keptInClear({ name: FIRST_CLIENT, user: localUser(), now: Date.now() })
    : null;

function tokenLine(auth: UpFlags['auth'], token: string | null): string {
  if (auth === 'none') return '  token     none: everybody on this machine can call (--auth none)';
  return `  token     ${token ?? "from the keeper's operator: sallyport token add NAME, as the user of the keeper"}`;
}

function startedJson(
  { gate, upstreams }: OpenedGateway,
  front: HttpFront,
  { token, console }: { token: string | null; console: string | null },
) {
  const { policy, root, keeper } = gate;
  const servers = upstreams.status().map((status) => ({ ...status }));
  const { file, digest, mode } = policy;
  const { approvedDigest, development } = gate.policyStatus();
  const policyState = { digest, mode, approvedDigest, development };
  return { url: front.url, token, console, policy: file, ...policyState, root, state: keeper.state, servers };
}

function started(
  { gate, upstreams }: OpenedGateway,
  settings: Settings,
  front: HttpFront,
  { auth, token, console }: { auth: UpFlags['auth']; token: string | null; console: string | null },
): string {
  const { policy, root, keeper } = gate;
  const origin = settings.embedded ? 'the embedded default (put a sallyport.yaml here to change it)' : policy.file;
  const header = token === null ? '' : ` --header "Authorization: Bearer ${token}"`;
  const lines = [
    `Sallyport ${packageVersion()} guards ${root}`,
    '',
    `  address   ${front.url}`,
    tokenLine(auth, token),
    `  console   ${console ?? 'off'}`,
    `  policy    ${origin}, ${policy.rules} rules`,
    ...(gate.policyStatus().observing ? [`  MODE      ${OBSERVING}`] : []),
    ...policyLines(gate),
    `  tools     ${toolNames(gate)}`,
    ...upstreams.status().flatMap(serverLines),
    `  log       ${keeper.state}/log`,
    '',
    'Connect a client:',
    `  claude mcp add --transport http sallyport ${front.url}${header}`,
    '  or let it be written: sallyport connect claude-code (sallyport connect --list names the others)',
    '',
    'See what happened: sallyport audit sessions. Check the log: sallyport audit verify. Stop with Ctrl-C.',
  ];
  return safeLines(lines.join('\n'));
}

function policyLines(gate: OpenedGateway['gate']): readonly string[] {
  const { approvedDigest, development } = gate.policyStatus();
  if (development) return [`  MODE      ${DEVELOPMENT}`];
  if (approvedDigest === null) return [];
  return ['  WAITS     the policy changed since it was approved: what it widens waits for sallyport policy approve'];
}

const toolNames = (gate: OpenedGateway['gate']): string =>
  gate.policy.tools.map(({ name }) => name).join(', ') || 'none: the policy has no rule, so everything is denied';

function serverLines({ name, state, tools, refused, warnings }: ServerStatus): readonly string[] {
  if (state === 'approved') {
    return [
      `  server    ${name}: ${tools.length} tools approved${refused.length > 0 ? `, ${refused.length} unusable` : ''}`,
      ...refused.map((tool) => `  unusable  ${tool.name}: ${tool.reason}`),
      ...warnings.map((warning) => `  warning   ${warning}`),
    ];
  }
  const next = state === 'unapproved' ? 'not approved yet' : 'changed in the policy since it was approved';
  return [`  server    ${name}: ${next}; run: sallyport servers approve ${name}`];
}
