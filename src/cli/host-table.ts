/** How the file of a host is written. `json`: the host reads strict JSON; `jsonc`: comments and trailing commas are fine. */
export type HostFormat = 'json' | 'jsonc' | 'toml';

/** Folders that places of hosts are written against. */
export interface HostFolders {
  readonly home: string;
  /** `$XDG_CONFIG_HOME`, else `~/.config` (XDG Base Directory Specification). */
  readonly config: string;
  /** `~/Library/Application Support` of macOS. */
  readonly support: string;
  /** `%APPDATA%` of Windows. */
  readonly roaming: string;
}

/** A file below one of the folders. */
type HostPlace = readonly [folder: keyof HostFolders, path: string];

/** Where a host keeps the file of a user, by platform. `variable` names an environment variable that replaces the folder. */
interface UserPlaces {
  readonly linux: HostPlace | null;
  readonly darwin: HostPlace;
  readonly win32: HostPlace;
  readonly variable?: string;
}

/** How a host is told of a server over HTTP. */
interface HttpForm {
  /** Key of the address. */
  readonly address: 'url' | 'serverUrl' | 'httpUrl';
  readonly type: 'http' | 'streamableHttp' | 'streamable-http' | null;
  readonly headers: 'headers' | 'http_headers';
  /** A token from an environment variable: what stands around its name in a header, or a key that takes its name. */
  readonly variable: { readonly before: string; readonly after: string } | { readonly key: string } | null;
}

/** A program that starts MCP servers from a file: where the file is and how a server stands in it. */
export interface Host {
  /** What the command line and the policy call it. */
  readonly name: string;
  readonly title: string;
  readonly format: HostFormat;
  /** Key of the object that holds the servers. */
  readonly servers: 'mcpServers' | 'servers' | 'mcp_servers' | 'context_servers';
  readonly user: UserPlaces;
  /** Path below the folder of a project; null where the host has no such file. */
  readonly project: string | null;
  /** Whether a command needs `"type": "stdio"` beside it. */
  readonly stdioType: boolean;
  /** Null where the file cannot name a server over HTTP. */
  readonly http: HttpForm | null;
  /** What the person at the host does for the change to be seen. */
  readonly next: string;
}

const same = (place: HostPlace): UserPlaces => ({ linux: place, darwin: place, win32: place });

/** A file in the folder of the user's settings of VS Code. */
const code = (path: string): UserPlaces => ({
  linux: ['config', `Code/User/${path}`],
  darwin: ['support', `Code/User/${path}`],
  win32: ['roaming', `Code/User/${path}`],
});

/** The name of the variable goes between the two. */
const ENVIRONMENT_PLAIN = { before: '$'.concat('{'), after: '}' } as const;
const ENVIRONMENT_PREFIXED = { before: '$'.concat('{env:'), after: '}' } as const;

/**
 * The hosts, each as its own documentation describes its file. Every path is a row of the control files too
 * (`gate/control-table.ts`), so that no tool can undo what was written.
 */
export const HOSTS: readonly Host[] = [
  // https://code.claude.com/docs/en/mcp (user scope, .mcp.json, ${VAR}) and https://code.claude.com/docs/en/env-vars
  {
    name: 'claude-code',
    title: 'Claude Code',
    ...{ format: 'json', servers: 'mcpServers', project: '.mcp.json', stdioType: true },
    user: { ...same(['home', '.claude.json']), variable: 'CLAUDE_CONFIG_DIR' },
    http: { address: 'url', type: 'http', headers: 'headers', variable: ENVIRONMENT_PLAIN },
    next: 'Start Claude Code again; /mcp shows the connection',
  },
  // https://modelcontextprotocol.io/quickstart/user; servers over HTTP are connectors of the account, not of this file
  {
    name: 'claude-desktop',
    title: 'Claude Desktop',
    ...{ format: 'json', servers: 'mcpServers', project: null, stdioType: false },
    user: {
      linux: ['config', 'Claude/claude_desktop_config.json'],
      darwin: ['support', 'Claude/claude_desktop_config.json'],
      win32: ['roaming', 'Claude/claude_desktop_config.json'],
    },
    http: null,
    next: 'Quit Claude Desktop and start it again',
  },
  // https://cursor.com/docs/mcp (both files, ${env:NAME} in url and headers)
  {
    name: 'cursor',
    title: 'Cursor',
    ...{ format: 'jsonc', servers: 'mcpServers', project: '.cursor/mcp.json', stdioType: false },
    user: same(['home', '.cursor/mcp.json']),
    http: { address: 'url', type: null, headers: 'headers', variable: ENVIRONMENT_PREFIXED },
    next: 'Start Cursor again and switch the server on under MCP in its settings',
  },
  // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration, and /docs/reference/variables-reference for ${env:NAME}
  {
    name: 'vscode',
    title: 'VS Code',
    ...{ format: 'jsonc', servers: 'servers', project: '.vscode/mcp.json', stdioType: true },
    user: code('mcp.json'),
    http: { address: 'url', type: 'http', headers: 'headers', variable: ENVIRONMENT_PREFIXED },
    next: 'Run "MCP: List Servers" in VS Code and start sallyport',
  },
  // https://docs.windsurf.com/windsurf/cascade/mcp (serverUrl, headers, ${env:NAME})
  {
    name: 'windsurf',
    title: 'Windsurf',
    ...{ format: 'jsonc', servers: 'mcpServers', project: null, stdioType: false },
    user: same(['home', '.codeium/windsurf/mcp_config.json']),
    http: { address: 'serverUrl', type: null, headers: 'headers', variable: ENVIRONMENT_PREFIXED },
    next: 'Press refresh in the MCP panel of Windsurf',
  },
  // https://developers.openai.com/codex/mcp and codex-rs/config/src/mcp_types.rs in https://github.com/openai/codex
  {
    name: 'codex',
    title: 'Codex',
    ...{ format: 'toml', servers: 'mcp_servers', project: '.codex/config.toml', stdioType: false },
    user: { ...same(['home', '.codex/config.toml']), variable: 'CODEX_HOME' },
    http: { address: 'url', type: null, headers: 'http_headers', variable: { key: 'bearer_token_env_var' } },
    next: 'Start Codex again; codex mcp list shows the server',
  },
  // https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md (httpUrl is streamable HTTP, url is SSE)
  {
    name: 'gemini-cli',
    title: 'Gemini CLI',
    ...{ format: 'jsonc', servers: 'mcpServers', project: '.gemini/settings.json', stdioType: false },
    user: same(['home', '.gemini/settings.json']),
    http: { address: 'httpUrl', type: null, headers: 'headers', variable: ENVIRONMENT_PLAIN },
    next: 'Start Gemini CLI again in a folder that it trusts; /mcp shows the connection',
  },
  // https://zed.dev/docs/ai/mcp and https://zed.dev/docs/configuring-zed
  {
    name: 'zed',
    title: 'Zed',
    ...{ format: 'jsonc', servers: 'context_servers', project: '.zed/settings.json', stdioType: false },
    user: {
      linux: ['config', 'zed/settings.json'],
      darwin: ['home', '.config/zed/settings.json'],
      win32: ['roaming', 'Zed/settings.json'],
    },
    http: { address: 'url', type: null, headers: 'headers', variable: null },
    next: 'Look at the MCP servers in the settings of Zed',
  },
  // https://docs.cline.bot/mcp/configuring-mcp-servers: the extension of VS Code
  {
    name: 'cline',
    title: 'Cline in VS Code',
    ...{ format: 'json', servers: 'mcpServers', project: null, stdioType: false },
    user: code('globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json'),
    http: { address: 'url', type: 'streamableHttp', headers: 'headers', variable: null },
    next: 'Open the MCP servers of Cline and switch sallyport on',
  },
  // https://docs.cline.bot/mcp/mcp-overview: the command line
  {
    name: 'cline-cli',
    title: 'Cline CLI',
    ...{ format: 'json', servers: 'mcpServers', project: null, stdioType: false },
    user: same(['home', '.cline/data/settings/cline_mcp_settings.json']),
    http: { address: 'url', type: 'streamableHttp', headers: 'headers', variable: null },
    next: 'Start Cline again; cline mcp shows the server',
  },
  // https://docs.roocode.com/features/mcp/using-mcp-in-roo
  {
    name: 'roo',
    title: 'Roo Code',
    ...{ format: 'json', servers: 'mcpServers', project: '.roo/mcp.json', stdioType: false },
    user: code('globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json'),
    http: { address: 'url', type: 'streamable-http', headers: 'headers', variable: null },
    next: 'Open the MCP servers of Roo Code and refresh them',
  },
];
