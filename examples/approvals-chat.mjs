// A stand-in of a chat system that answers for Sallyport: it takes signed notices, posts each as a message with two buttons, and
// sends what a person presses back, signed. Node.js alone; the same thirty lines of cryptography do it in any language.
//
//   node examples/approvals-chat.mjs --operator chat --secret-file answers.secret --notify-secret notices.secret
//
// It prints its address for `sallyport up --notify`. A press is a line on standard input: yes REQUEST, or no REQUEST.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    operator: { type: 'string' },
    'secret-file': { type: 'string' },
    'notify-secret': { type: 'string' },
    port: { type: 'string', default: '0' },
  },
});
const secretIn = (file) => Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
const [answerSecret, noticeSecret] = [secretIn(values['secret-file']), secretIn(values['notify-secret'])];
const MAX_BODY = 65_536;
const MAX_AGE_MS = 60_000;

/** The messages that are posted, by the request that they are about. */
const messages = new Map();
const nonces = new Set();

const signature = (secret, domain, { time, nonce, body }) =>
  createHmac('sha256', secret).update(`${domain}\n${time}\n${nonce}\n${body}`).digest('hex');

/** True for a notice that Sallyport signed, now, and that did not come before. */
function isGenuine(headers, body) {
  const time = String(headers['x-sallyport-time']);
  const nonce = String(headers['x-sallyport-nonce']);
  const expected = Buffer.from(signature(noticeSecret, 'sallyport/webhook-notice/v1', { time, nonce, body }));
  const given = Buffer.from(String(headers['x-sallyport-signature']));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  if (Math.abs(Date.now() - Number(time)) > MAX_AGE_MS || nonces.has(nonce)) return false;
  nonces.add(nonce);
  return true;
}

/** Where a real one would post to its channel. The screen is text: nothing in it is markup. */
function post(notice) {
  messages.set(notice.request, notice);
  const buttons =
    notice.approve === null ? '[ no ]  (too long for here: look at it in the console)' : '[ yes, once ]  [ no ]';
  console.log(`${notice.screen}\n${buttons}  ${notice.request}`);
}

const server = createServer(async (request, response) => {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY) return response.writeHead(413, { connection: 'close' }).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString('utf8');
  if (!isGenuine(request.headers, body)) return response.writeHead(403).end();
  post(JSON.parse(body));
  return response.writeHead(204).end();
});

/** What a button sends. Who pressed it, and whether they may, is for the chat system to know: its secret answers for them. */
async function press(button, { request, console: address, approve, deny }) {
  const offered = button === 'yes' ? approve : deny;
  if (offered === null) return console.log('there is no such button');
  const body = JSON.stringify({ request, ...offered });
  const [time, nonce] = [String(Date.now()), randomBytes(16).toString('base64url')];
  const response = await fetch(new URL('/v1/webhook/answers', address), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-sallyport-operator': values.operator,
      'x-sallyport-time': time,
      'x-sallyport-nonce': nonce,
      'x-sallyport-signature': signature(answerSecret, 'sallyport/webhook/v1', { time, nonce, body }),
    },
    body,
  });
  const said = await response.json();
  console.log(response.ok ? `${said.kind} ${request}` : `refused ${request}: ${said.error.code}`);
}

server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`chat listens on http://127.0.0.1:${server.address().port}/`);
});
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [button, id] = line.trim().split(' ');
  const message = messages.get(id);
  if (message === undefined) console.log(`there is no message about ${id}`);
  else press(button, message).catch((error) => console.log(`not sent: ${error.message}`));
});
lines.on('close', () => server.close());
