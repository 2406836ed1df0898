// The page of the console. INVARIANT: whatever a stranger wrote is set as text (textContent), never as markup.
const at = (id) => document.getElementById(id);

/** The token comes behind the # of the address, which no server sees; it stays in this tab. */
function readToken() {
  const given = location.hash.slice(1);
  if (given !== '') sessionStorage.setItem('token', given);
  history.replaceState(null, '', '/');
  return sessionStorage.getItem('token') ?? '';
}
const token = readToken();

async function ask(path, body) {
  const headers = { 'x-sallyport-console': token };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, {
    ...{ method: body === undefined ? 'GET' : 'POST', headers, redirect: 'error' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error.message}. ${answer.error.remedy} (${answer.error.code})`);
  return answer;
}

const say = (text) => {
  at('state').textContent = text;
};
/** Runs what a button does, and says what went wrong. */
const on = (id, action) => at(id).addEventListener('click', () => action().catch((error) => say(error.message)));

/** The act on the screen. INVARIANT: what is proven is the challenge that came with this screen. */
let proposed = null;
/** The request on the screen. INVARIANT: an answer is to this, with the receipt of this screen. */
let shown = null;

/** A list of buttons, one for each that waits. */
function fill(id, entries) {
  const items = entries.map(([label, open]) => {
    const button = document.createElement('button');
    button.textContent = label;
    button.addEventListener('click', () => open().catch((error) => say(error.message)));
    const item = document.createElement('li');
    item.append(button);
    return item;
  });
  at(id).replaceChildren(...items);
}

async function list() {
  const { acts } = await ask('/v1/acts');
  fill(
    'acts',
    acts.map(({ id, act }) => [`${act} (${id})`, () => showAct(id)]),
  );
  if (proposed !== null && !acts.some(({ id }) => id === proposed.id)) closeAct();
  const { requests } = await ask('/v1/requests');
  fill(
    'waiting',
    requests.map(({ id, tool, agent, user }) => [`${tool} by ${agent} for ${user} (${id})`, () => show(id, '')]),
  );
  const waiting = requests.length + acts.length;
  say(waiting === 0 ? 'Nothing waits for a person.' : `${waiting} waiting.`);
  if (shown !== null && !requests.some(({ id }) => id === shown.id)) close();
}

function close() {
  shown = null;
  at('request').hidden = true;
}

const MARKS = { same: ' ', changed: '~', new: '+', first: ' ' };
const block = (lines) =>
  lines.map(({ name, value, change, cut }) => `  │ ${MARKS[change]} ${name}: ${value}${cut ? ' (cut)' : ''}`);

/** Who can answer here. */
function optionsOf(operators, advisory) {
  const names = operators.filter((operator) => operator.class === 'passkey').map(({ name }) => name);
  return [...names, ...(advisory ? ['local'] : [])].map((name) => new Option(name, name));
}

function closeAct() {
  proposed = null;
  at('act').hidden = true;
}

async function showAct(id) {
  closeAct();
  const [view, { operators }] = [await ask(`/v1/acts/${id}`), await ask('/v1/operators')];
  at('act-screen').textContent = [
    ...[view.title, ...view.lines.map((line) => `  │ ${line}`)],
    ...(view.advisory ? ['Advisory: no credential is registered, so the agent could do this for itself.'] : []),
    `Act ${id}, waits until ${new Date(view.expiresAt).toISOString()}; no answer means no.`,
  ].join('\n');
  const options = optionsOf(operators, view.advisory);
  at('act-operator').replaceChildren(...options);
  at('prove').disabled = options.length === 0;
  at('act').hidden = false;
  proposed = view;
}

async function proveShown() {
  const { id, challenge } = proposed;
  const operator = at('act-operator').value;
  const proof = operator === 'local' ? { class: 'local' } : await prove(operator, challenge);
  const { by } = await ask(`/v1/acts/${id}/prove`, { proof });
  closeAct();
  await list();
  say(`Done: ${id}, by ${by.operator}.`);
}

async function show(id, whole) {
  close();
  const [view, { operators }] = [await ask(`/v1/requests/${id}${whole}`), await ask('/v1/operators')];
  const { screen, advisory, complete, expiresAt } = view;
  at('screen').textContent = [
    ...[screen.title, `Asked because of ${screen.why}`, 'Arguments, as they will be executed:'],
    ...[...block(screen.lines), ...screen.gone.map((name) => `  │ - ${name} (was there last time)`)],
    ...['What is behind them:', ...block(screen.facts), ...screen.notes],
    ...(complete ? [] : ['CUT: show the whole before a yes.']),
    ...(advisory ? ['Advisory: agent and person share a user id here, so the agent could answer for itself.'] : []),
    `Request ${id}, waits until ${new Date(expiresAt).toISOString()}; no answer means no.`,
  ].join('\n');
  const options = optionsOf(operators, advisory);
  at('operator').replaceChildren(...options);
  at('approve').disabled = view.seen === null || options.length === 0;
  at('whole').hidden = complete;
  at('request').hidden = false;
  shown = view;
}

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
/** A credential as WebAuthn's JSON: what `toJSON` gives, where a browser does not have it yet. */
function asJson({ id, rawId, type, response }) {
  const fields = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature'];
  const read = fields.filter((field) => response[field] !== undefined).map((field) => [field, text(response[field])]);
  return { ...{ id, type, rawId: text(rawId), clientExtensionResults: {} }, response: Object.fromEntries(read) };
}

async function prove(operator, challenge) {
  const publicKey = { challenge: bytes(challenge), rpId: location.hostname, userVerification: 'required' };
  return { class: 'passkey', operator, response: asJson(await navigator.credentials.get({ publicKey })) };
}

async function answer(said) {
  const { id, seen } = shown;
  const operator = at('operator').value;
  const isLocal = operator === 'local' || operator === '';
  const asked = seen === null ? { answer: said } : { answer: said, seen };
  const { challenge, opens } = await ask(`/v1/requests/${id}/challenge`, asked);
  const proof = isLocal ? { class: 'local' } : await prove(operator, challenge);
  const receipt = await ask(`/v1/requests/${id}/answer`, { ...asked, proof });
  await list();
  say(`${receipt.kind}: ${opens}`);
}

on('prove', proveShown);
on('decline', async () => {
  const { declined } = await ask(`/v1/acts/${proposed.id}/decline`, {});
  closeAct();
  await list();
  say(`No to ${declined}.`);
});
let offered = null;
on('whole', () => show(shown.id, '/whole'));
on('approve', () => answer({ kind: 'approve', scope: { kind: 'once' }, full: true }));
on('deny', () => answer({ kind: 'deny', reason: 'denied in the console' }));
on('offer', async () => {
  const { offer } = await ask('/v1/registrations', {});
  const said = { name: at('name').value, user: at('user').value, groups: [] };
  offered = { offer, said, place: await ask('/v1/registrations/passkey', { offer, ...said }) };
  at('registering').hidden = false;
  say('The keeper printed a one-time code on its own terminal.');
});
on('register', async () => {
  const { offer, said, place } = offered;
  const { rpId, origin, challenge } = place;
  const credential = await navigator.credentials.create({
    publicKey: {
      ...{ challenge: bytes(challenge), rp: { id: rpId, name: 'Sallyport' }, attestation: 'none' },
      user: { id: crypto.getRandomValues(new Uint8Array(16)), name: said.name, displayName: said.user },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    },
  });
  const registration = { class: 'passkey', ...said, rpId, origin, response: asJson(credential) };
  await ask('/v1/operators', { offer, registration, authority: { code: at('code').value.trim() } });
  at('registering').hidden = true;
  say(`Registered ${said.name}: from now on a yes needs a credential.`);
});

/** Looks again whenever something happens; a stream that ends is opened again. */
async function follow() {
  const response = await fetch('/v1/events', { headers: { 'x-sallyport-console': token } });
  if (!response.ok) throw new Error('The console does not know this tab: open the address that sallyport up prints.');
  const reader = response.body.getReader();
  for (;;) {
    await list();
    if ((await reader.read()).done) return;
  }
}
for (;;) {
  await follow().catch((error) => say(error.message));
  await new Promise((resolve) => setTimeout(resolve, 5_000));
}
