import { SallyportError } from '../core/index.ts';
import { serveStdio } from '../gateway/index.ts';
import { localUser } from '../keeper/index.ts';
import { OBSERVING, openGateway } from './open-gateway.ts';
import { noticeTo, safeLines, type Terminal } from './output.ts';
import { reportFailures } from './server-failures.ts';
import { type CommonFlags, settingsOf } from './settings.ts';
import { untilStopped } from './until-stopped.ts';
import { packageVersion } from './version.ts';
import { noteOfWaiting } from './waiting-calls.ts';

/** `mcp`: serves one client on standard input and output. Nothing but protocol is written to standard output. */
export async function mcp(terminal: Terminal, flags: CommonFlags & { readonly agent: string }): Promise<number> {
  if (!/^[a-z0-9-]{1,40}$/.test(flags.agent))
    throw new SallyportError('USAGE', 'an agent name is 1 to 40 of a-z, 0-9 and -');
  const gateway = await openGateway(settingsOf(flags), {
    onPolicyNotice: noticeTo(terminal),
    onApprovalWaiting: noteOfWaiting(terminal, flags),
  });
  const { gate, upstreams } = gateway;
  reportFailures(terminal, upstreams);
  if (gate.policyStatus().observing) terminal.err(`sallyport: mode ${OBSERVING}`);
  try {
    const front = await serveStdio({
      ...{ gate, user: localUser(), agent: flags.agent, version: packageVersion() },
      ...{ input: process.stdin, output: process.stdout },
      upstreams,
      onError: (error) => terminal.err(safeLines(String(error))),
    });
    const ended = await Promise.race([front.closed.then(() => 'the client left'), untilStopped()]);
    await front.close();
    await gateway.close(ended);
  } catch (error) {
    await gateway.close('it could not be served');
    throw error;
  }
  return 0;
}
