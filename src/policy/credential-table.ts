/** A kind of credential that its own text gives away. */
export interface CredentialShape {
  readonly name: string;
  /** What it starts with, letter case as given. */
  readonly prefix: string;
  /** Least number of characters after the prefix. */
  readonly least: number;
  /** What the characters after the prefix are. */
  readonly alphabet: RegExp;
  /** Whether a letter or digit before the prefix makes it part of another word. */
  readonly isWord: boolean;
}

const WORD = /[A-Za-z0-9_-]/;
const ALNUM = /[A-Za-z0-9]/;
const UPPER = /[A-Z0-9]/;
const HEX = /[0-9a-f]/;
const DOTTED = /[A-Za-z0-9_.-]/;
const BASE64 = /[A-Za-z0-9+/=_-]/;

type Row = readonly [name: string, prefixes: readonly string[], least: number, alphabet: RegExp];

/** Issuers' own formats (their documentation, and the public rule sets of secret scanners). */
const ROWS: readonly Row[] = [
  ['AWS access key id', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], 16, UPPER],
  ['GitHub token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 30, ALNUM],
  ['GitHub token', ['github_pat_'], 30, WORD],
  [
    'GitLab token',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'gloas-', 'glsoat-', 'glagent-', 'glft-', 'glimt-'],
    18,
    DOTTED,
  ],
  [
    'Slack token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxs-', 'xoxr-', 'xoxe-', 'xoxe.xoxp-', 'xoxe.xoxb-', 'xapp-'],
    10,
    WORD,
  ],
  [
    'Slack webhook',
    ['hooks.slack.com/services/T', 'hooks.slack.com/workflows/T', 'hooks.slack.com/triggers/T'],
    20,
    /[A-Za-z0-9/_-]/,
  ],
  ['Discord webhook', ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'], 40, /[A-Za-z0-9/_-]/],
  ['Stripe key', ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'], 10, ALNUM],
  ['OpenAI key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-None-'], 16, WORD],
  ['Anthropic key', ['sk-ant-'], 16, WORD],
  ['OpenRouter key', ['sk-or-v1-', 'sk-or-'], 20, WORD],
  ['API key', ['sk-lf-'], 20, WORD],
  ['OpenAI key', ['sk-'], 32, ALNUM],
  ['Google API key', ['AIza'], 32, WORD],
  ['Google OAuth token', ['ya29.'], 20, WORD],
  ['Google OAuth secret', ['GOCSPX-'], 20, WORD],
  ['Google refresh token', ['1//0'], 30, WORD],
  ['npm token', ['npm_'], 30, ALNUM],
  ['PyPI token', ['pypi-AgE'], 30, WORD],
  ['RubyGems key', ['rubygems_'], 40, HEX],
  ['Docker Hub token', ['dckr_pat_', 'dckr_oat_'], 20, WORD],
  ['Hugging Face token', ['hf_', 'api_org_'], 30, ALNUM],
  ['SendGrid key', ['SG.'], 40, DOTTED],
  ['Shopify token', ['shpat_', 'shpss_', 'shpca_', 'shppa_'], 32, /[0-9a-fA-F]/],
  ['Square token', ['sq0atp-', 'sq0csp-'], 20, WORD],
  ['DigitalOcean token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], 40, HEX],
  ['Databricks token', ['dapi'], 32, HEX],
  ['Linear key', ['lin_api_', 'lin_oauth_'], 30, ALNUM],
  ['Notion token', ['ntn_', 'secret_'], 40, ALNUM],
  ['Figma token', ['figd_', 'figo_'], 30, WORD],
  ['Atlassian token', ['ATATT3', 'ATCTT3', 'ATBB', 'ATOA'], 20, BASE64],
  ['HashiCorp Vault token', ['hvs.', 'hvb.', 'hvr.'], 20, WORD],
  ['Doppler token', ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.'], 30, DOTTED],
  ['New Relic key', ['NRAK-', 'NRJS-', 'NRII-'], 18, WORD],
  ['Grafana token', ['glsa_', 'glc_'], 30, BASE64],
  ['Sentry token', ['sntrys_', 'sntryu_'], 30, BASE64],
  ['PlanetScale token', ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], 30, DOTTED],
  ['Supabase key', ['sbp_', 'sb_secret_'], 20, WORD],
  ['Postman key', ['PMAK-'], 30, WORD],
  ['Pulumi token', ['pul-'], 40, HEX],
  ['age key', ['AGE-SECRET-KEY-1'], 40, UPPER],
  ['Groq key', ['gsk_'], 40, ALNUM],
  ['Replicate token', ['r8_'], 30, ALNUM],
  ['Perplexity key', ['pplx-'], 40, ALNUM],
  ['xAI key', ['xai-'], 60, ALNUM],
  ['Netlify token', ['nfp_', 'nfc_', 'nfo_'], 30, ALNUM],
  ['Fly.io token', ['FlyV1 fm', 'fo1_'], 30, BASE64],
  ['Tailscale key', ['tskey-'], 16, WORD],
  ['CircleCI token', ['CCIPAT_', 'CCIPRJ_'], 30, WORD],
  ['Buildkite token', ['bkua_', 'bkct_'], 36, HEX],
  ['Heroku key', ['HRKU-'], 30, WORD],
  ['1Password token', ['ops_eyJ'], 40, BASE64],
  ['Alibaba access key', ['LTAI'], 16, ALNUM],
  ['Dynatrace token', ['dt0c01.', 'dt0s16.', 'dt0s02.'], 24, DOTTED],
  ['Mapbox token', ['sk.eyJ'], 40, DOTTED],
  ['EasyPost key', ['EZAK', 'EZTK'], 40, ALNUM],
  ['Adafruit key', ['aio_'], 26, ALNUM],
  ['Twilio key', ['SK'], 32, HEX],
  ['Facebook token', ['EAACEdEose0cBA', 'EAAB'], 40, ALNUM],
  ['Contentful token', ['CFPAT-'], 40, WORD],
  ['Duffel token', ['duffel_live_', 'duffel_test_'], 30, WORD],
  ['Flutterwave key', ['FLWSECK_TEST-', 'FLWSECK-'], 20, WORD],
  ['Razorpay key', ['rzp_live_'], 12, ALNUM],
  ['Azure DevOps or storage key', ['AccountKey='], 40, BASE64],
  ['Azure shared access key', ['SharedAccessKey='], 40, BASE64],
];

/** Every shape, by its prefix; the longest of two prefixes stands first. */
export const CREDENTIAL_SHAPES: readonly CredentialShape[] = ROWS.flatMap(([name, prefixes, least, alphabet]) =>
  prefixes.map((prefix) => ({ name, prefix, least, alphabet, isWord: /^[A-Za-z0-9]/.test(prefix) })),
).sort((first, second) => second.prefix.length - first.prefix.length);

/** Names of fields and parameters that hold credentials: lower case, without hyphens, underscores and dots. */
export const CREDENTIAL_NAMES: ReadonlySet<string> = new Set([
  'accesstoken',
  'accountkey',
  'apikey',
  'apisecret',
  'apitoken',
  'appsecret',
  'authtoken',
  'awssecretaccesskey',
  'bearertoken',
  'clientsecret',
  'consumersecret',
  'dbpassword',
  'githubtoken',
  'idtoken',
  'oauthtoken',
  'passphrase',
  'passwd',
  'password',
  'personalaccesstoken',
  'privatekey',
  'privatetoken',
  'pwd',
  'refreshtoken',
  'secret',
  'secretaccesskey',
  'secretkey',
  'servicerolekey',
  'sessiontoken',
  'sharedaccesskey',
  'signingkey',
  'webhooksecret',
  'xamzsecuritytoken',
  'xapikey',
]);
