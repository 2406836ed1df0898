// Writes the reference part of docs/policy.md, and policies/policy.schema.json for editors, from the schema that the loader
// validates with, or checks them with --check. Prevents: keys that are described and do not exist, or the other way round.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policySchema } from '../dist/policy/index.js';

const file = fileURLToPath(new URL('../docs/policy.md', import.meta.url));
const [BEGIN, END] = ['<!-- reference: begin (made by scripts/policy-docs.mjs) -->', '<!-- reference: end -->'];
const defs = policySchema.$defs;

const sections = [
  ['The file', policySchema],
  ['`tools.NAME`', defs.tool],
  ['`tools.NAME.output`', defs.tool.properties.output],
  ['`tools.NAME.requiresConfirmation`', defs.confirmation],
  ['`tools.NAME.approvers`', defs.approvers],
  ['`tools.api_call.secrets.DESTINATION`', defs.destinationSecret],
  ['`tools.NAME.rateLimit`', defs.tool.properties.rateLimit],
  ['`tools.NAME.breaker` and `servers.NAME.breaker`', defs.tool.properties.breaker],
  ['`limits.NAME`', defs.namedLimit],
  ['`tools.NAME.limits`', defs.tool.properties.limits],
  ['`tools.NAME.flow`', defs.flow],
  ['`tools.NAME.arguments.ARGUMENT`', defs.argument],
  ['`servers.NAME`', defs.server],
  ['`servers.NAME.paths`', defs.server.properties.paths],
  ['`servers.NAME.limits`', defs.server.properties.limits],
  ['`sandbox`', policySchema.properties.sandbox],
  ['`sandbox.runAs`', policySchema.properties.sandbox.properties.runAs],
  ['`principals.NAME`', defs.principal],
  ['`principals.NAME.match`', defs.principal.properties.match],
];

const resolve = (schema) => (schema.$ref ? { ...defs[schema.$ref.split('/').at(-1)], ...schema } : schema);
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function typeOf(schema) {
  const { type, enum: values, const: constant } = schema;
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  if (schema.then && schema.else) return 'a value or a list';
  return (
    { string: 'text', array: 'list', object: 'keys', integer: 'integer', number: 'number', boolean: '`true`, `false`' }[
      type
    ] ?? 'any'
  );
}

function table([title, schema]) {
  const built = Object.entries(schema.properties).filter(([, value]) => value['x-needs'] === undefined);
  const rows = built.map(([key, value]) => {
    const property = resolve(value);
    return `| \`${key}\` | ${cell(typeOf(property))} | ${cell(property.description ?? 'As in JSON Schema.')} |`;
  });
  return [
    `### ${title}`,
    '',
    schema.description,
    '',
    '| key | value | meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function later() {
  const rows = sections.flatMap(([title, schema]) => {
    const where = title.replaceAll('`', '');
    return Object.entries(schema.properties).flatMap(([key, value]) => {
      const property = resolve(value);
      if (property['x-needs'])
        return [`| \`${where === 'The file' ? '' : `${where}.`}${key}\` | ${property['x-needs']} |`];
      return Object.entries(property['x-later'] ?? property.else?.['x-later'] ?? {}).map(
        ([word, needs]) => `| \`${key}: ${word}\` | ${needs} |`,
      );
    });
  });
  const levels = Object.entries(defs.isolationLevel['x-later']).map(
    ([level, needs]) => `| \`isolation: ${level}\` | ${needs} |`,
  );
  const secrets = `| \`servers.NAME.env.VARIABLE: "$${'{'}secret:…}"\` | secret providers |`;
  const head = [
    '### Not in this version',
    '',
    'These belong to the language. A policy that uses one does not load, and the message says which.',
    '',
  ];
  return [...head, '| what | it needs |', '| --- | --- |', ...levels, ...new Set(rows), secrets, ''].join('\n');
}

const page = readFileSync(file, 'utf8');
const [before, rest = ''] = page.split(BEGIN);
const after = rest.split(END)[1] ?? '\n';
const wanted = `${before}${BEGIN}\n\n${sections.map(table).join('\n')}\n${later()}\n${END}${after}`;
const schemaFile = fileURLToPath(new URL('../policies/policy.schema.json', import.meta.url));
const schemaText = `${JSON.stringify(policySchema, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted);
  writeFileSync(schemaFile, schemaText);
} else if (page !== wanted || readFileSync(schemaFile, 'utf8') !== schemaText) {
  console.error('docs/policy.md or policies/policy.schema.json is out of date: run node scripts/policy-docs.mjs');
  process.exit(1);
}
