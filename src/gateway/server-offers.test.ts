import { describe, expect, it } from 'vitest';
import { NO_ACTIONS, serverRule } from '../../test/e2e/stand.ts';
import type { ServerDefinitions } from './definitions.ts';
import { reviewOffers } from './server-offers.ts';

const definitions: ServerDefinitions = {
  ...{ protocol: '2025-11-25', capabilities: { resources: {}, prompts: {} }, serverInfo: null, instructions: null },
  ...{ tools: [], prompts: [{ name: 'a' }, { name: 'Same' }, { name: 'same' }] },
  resourceTemplates: [{ uriTemplate: 'x:{a}' }],
};
const right = { id: 'servers.s' };

describe('reviewOffers', () => {
  it('says what no rule allows, and which prompts are left out', () => {
    expect(reviewOffers(serverRule('s', {}), definitions)).toEqual([
      'no rule allows its 3 prompts (servers.s.prompts)',
      'no rule allows its resources, of 1 templates (servers.s.resources)',
      'the prompt "Same" can be mistaken for another one and is left out',
      'the prompt "same" can be mistaken for another one and is left out',
    ]);
  });

  it('says what the server may ask', () => {
    const actions = { ...NO_ACTIONS, sampling: right, elicitation: right };
    const rule = serverRule('s', { actions });
    expect(reviewOffers(rule, { ...definitions, capabilities: {}, prompts: [] })).toEqual([
      'the policy lets it ask its client: sampling, elicitation',
    ]);
  });
});
