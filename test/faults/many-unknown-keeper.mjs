// Opens a state, says what it is told on standard input, as JSON: STATE CHARACTERS COUNT FROM. Admits COUNT calls from that number
// on, with arguments of that size, half of each of two agents, and says `admitted`; or, with COUNT 0, says how it stands with those calls.
import { openKeeper } from '../../dist/keeper/index.js';

const state = process.argv[2];
const [characters, count, from] = process.argv.slice(3).map(Number);
const keeper = await openKeeper({ state, reachable: [] });
const who = (agent) => ({ tenant: 'local', user: 'test', agent, proof: 'local' });
const argumentsOf = (number) => ({ number, text: 'x'.repeat(characters) });

if (count === 0) {
  const ask = (agent, number) =>
    keeper.isUncertain({ principal: { ...who(agent), session: 's' }, tool: 'pay', arguments: argumentsOf(number) });
  const uncertain = [await ask('even', 0), await ask('odd', 1), await ask('even', 1), await ask('third', 0)];
  const { maxRSS } = process.resourceUsage();
  console.log(JSON.stringify({ uncertain, mebibytes: Math.ceil(maxRSS / 1024) }));
  await keeper.close();
} else {
  const epoch = await keeper.policyLoaded({ scope: 's', digest: 'd', source: 's', rules: 1, mode: 'enforce' });
  for (let number = from; number < from + count; number += 100) {
    const numbers = Array.from({ length: Math.min(100, from + count - number) }, (_, at) => number + at);
    await Promise.all(
      numbers.map((each) =>
        keeper.admit(
          {
            ...{ surface: 'library', principal: who(each % 2 === 0 ? 'even' : 'odd'), session: 's', tool: 'pay' },
            ...{ decision: 'allow', epoch, payloads: { arguments: argumentsOf(each) } },
          },
          {},
        ),
      ),
    );
  }
  console.log('admitted');
  setInterval(() => undefined, 1_000);
}
