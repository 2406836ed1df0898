import { parseStrictJson } from '../core/index.ts';
import { OBSERVING, openGateway } from './open-gateway.ts';
import { answer, noticeTo, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, settingsOf } from './settings.ts';
import { answerInline, readWait, type WaitFlags } from './waiting-calls.ts';

/** `call TOOL JSON`: one guarded call. Exits 1 for a denial or a failure. */
export async function call(
  terminal: Terminal,
  request: { readonly tool: string; readonly json: string },
  flags: CommonFlags & WaitFlags,
): Promise<number> {
  const args = parseStrictJson(request.json);
  const waits = readWait(flags);
  const inline = answerInline(terminal, flags);
  const { onApprovalWaiting } = inline;
  const gateway = await openGateway(settingsOf(flags), { onPolicyNotice: noticeTo(terminal), onApprovalWaiting });
  if (gateway.gate.policyStatus().observing) terminal.err(`sallyport: mode ${OBSERVING}`);
  try {
    const session = await gateway.gate.openSession({ agent: 'cli', surface: 'cli', ...waits });
    const result = await session.call(request.tool, args);
    answer(terminal, JSON.parse(JSON.stringify(result)), safeLines(result.text));
    return result.kind === 'delivered' && !result.isError ? 0 : 1;
  } finally {
    await inline.close();
    await gateway.close('the command ended');
  }
}
