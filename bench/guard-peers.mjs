// What the guard is measured beside: the list of patterns of the article that Sallyport started from, and detectors from npm. A process
// of its own, because one of them starts workers that its package does not contain. Reads lines of JSON {"text","kind"}, writes one
// line of JSON: by name, a string of 0 and 1 for the lines, and milliseconds for each.
import { createInterface } from 'node:readline';

// What it asks for is not there; nothing depends on it.
process.on('uncaughtException', () => process.exitCode);

const ARTICLE = [
  /^IGNORE ALL PREVIOUS.*/gis,
  /<\|im_start\|>.*?<\|im_end\|>/gis,
  /<\|system\|>.*?<\|end\|>/gis,
  /^(?:system|assistant|user): /gim,
  /<script[^>]*>.*?<\/script>/gis,
];

const load = async (name, make) => {
  try {
    return [name, await make()];
  } catch {
    return [name, null];
  }
};

const peers = await Promise.all([
  load('article', () => (text) => ARTICLE.some((pattern) => text.search(pattern) !== -1)),
  load('vard', async () => {
    const { default: vard } = await import('@andersmyrmel/vard');
    return (text) => {
      try {
        vard(text);
        return false;
      } catch {
        return true;
      }
    };
  }),
  load('hai-guardrails', async () => {
    const { injectionGuard } = await import('@presidio-dev/hai-guardrails');
    const guard = injectionGuard({ roles: ['user'] }, { mode: 'pattern', threshold: 0.7 });
    return async (text) => (await guard([{ role: 'user', content: text }])).some(({ passed }) => !passed);
  }),
  load('shield-sdk', async () => {
    const { PromptInjectionScanner } = await import('@llm-dev-ops/shield-sdk');
    const scanner = new PromptInjectionScanner();
    return async (text) => !(await scanner.scan(text, {})).isValid;
  }),
  load('llm-inject-scan', async () => {
    const { createPromptValidator } = await import('llm-inject-scan');
    const validate = createPromptValidator({ disableBase64Check: true, disableUrlCheck: true });
    return (text) => !validate(text).clean;
  }),
]);

const texts = [];
for await (const line of createInterface({ input: process.stdin })) texts.push(JSON.parse(line));
const result = {};
for (const [name, detect] of peers) {
  if (detect === null) continue;
  const started = performance.now();
  let flags = '';
  for (const text of texts) {
    let isFlagged = false;
    try {
      isFlagged = await detect(text);
    } catch {
      isFlagged = false;
    }
    flags += isFlagged ? '1' : '0';
  }
  result[name] = { flags, ms: (performance.now() - started) / texts.length };
}
process.stdout.write(JSON.stringify(result), () => process.exit(0));
