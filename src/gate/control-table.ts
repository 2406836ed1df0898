/** A row of the tables below: a path pattern and why no tool may write what it matches. */
export interface ControlRow {
  /**
   * Segments joined by `/`. `*` in a segment stands for any characters of that segment. A last segment `**` stands for the
   * folder itself and everything in it. Files are known by inode too, where the row has no `*` in its name.
   */
  readonly path: string;
  readonly reason: string;
  /** Holds so much that its files are not known one by one by inode; the rows that name its parts are. */
  readonly large?: true;
}

const HOOKS = 'starts programs or MCP servers with the rights of the person at the keyboard, or grants an agent more';
const OURS = 'decides what Sallyport allows';
const GIT = 'git runs programs that its configuration, hooks and folders name';

/** Control files wherever they lie: in the workspace at any depth, and outside it. */
export const CONTROL_FILES_ANYWHERE: readonly ControlRow[] = [
  { path: 'sallyport.yaml', reason: OURS },
  { path: 'sallyport.yml', reason: OURS },
  { path: 'sallyport.lock', reason: OURS },
  { path: 'node_modules/sallyport/**', reason: OURS },

  // `commondir`, `gitdir`, `worktrees/`, `modules/` and a `.git` that is a file all lead git to another configuration, and
  // a rebase list holds commands: nothing in there is written by hand, so nothing in there is written by a tool.
  { path: '.git/**', reason: GIT, large: true },
  { path: '.git/config', reason: GIT },
  { path: '.git/hooks/**', reason: GIT },
  { path: '*.git/**', reason: GIT },
  // Without a file of this name no folder of a workspace can be turned into a repository that git would trust.
  { path: 'HEAD', reason: GIT },

  { path: '.claude/settings*.json', reason: HOOKS },
  { path: '.claude/settings.json', reason: HOOKS },
  { path: '.claude/settings.local.json', reason: HOOKS },
  { path: '.claude/statusline*', reason: HOOKS },
  { path: '.claude/hooks/**', reason: HOOKS },
  { path: '.claude/commands/**', reason: HOOKS },
  { path: '.claude/agents/**', reason: HOOKS },
  { path: '.claude/skills/**', reason: HOOKS },
  { path: '.claude/plugins/**', reason: HOOKS },
  { path: '.claude.json', reason: HOOKS },
  { path: '.mcp.json', reason: HOOKS },
  // A folder with a dot is some program's own: what it calls MCP servers, it starts.
  { path: '.*/mcp.json', reason: HOOKS },
  { path: '.mcp/**', reason: HOOKS },
  { path: 'claude_desktop_config.json', reason: HOOKS },
  { path: '.cursor/**', reason: HOOKS },
  { path: '.vscode/mcp.json', reason: HOOKS },
  { path: '.vscode/settings.json', reason: 'can switch off the questions that an agent in the editor asks' },
  { path: '.vs/mcp.json', reason: HOOKS },
  { path: '.zed/settings.json', reason: HOOKS },
  { path: '.codex/**', reason: HOOKS },
  { path: '.gemini/**', reason: HOOKS },
  { path: '.qwen/**', reason: HOOKS },
  { path: '.windsurf/**', reason: HOOKS },
  { path: '.codeium/**', reason: HOOKS },
  { path: 'mcp_config.json', reason: HOOKS },
  { path: '.continue/**', reason: HOOKS },
  { path: '.cline/**', reason: HOOKS },
  { path: '.clinerules/**', reason: HOOKS },
  { path: 'cline_mcp_settings.json', reason: HOOKS },
  { path: '.roo/**', reason: HOOKS },
  { path: '.kiro/hooks/**', reason: HOOKS },
  { path: '.kiro/settings/**', reason: HOOKS },
  { path: '.amazonq/**', reason: HOOKS },
  { path: '.copilot/**', reason: HOOKS },
  { path: '.github/hooks/**', reason: HOOKS },
  { path: '.junie/**', reason: HOOKS },
  { path: '.augment/**', reason: HOOKS },
  { path: '.factory/**', reason: HOOKS },
  { path: '.goose/**', reason: HOOKS },
  { path: '.opencode/**', reason: HOOKS },
  { path: 'opencode.json', reason: HOOKS },
  { path: 'opencode.jsonc', reason: HOOKS },
  { path: '.trae/**', reason: HOOKS },
  { path: '.vscode-insiders/mcp.json', reason: HOOKS },
  { path: '.vscode-insiders/settings.json', reason: HOOKS },
  { path: '.kilocode/**', reason: HOOKS },
  { path: '.amp/**', reason: HOOKS },
  { path: '.crush.json', reason: HOOKS },
  { path: 'crush.json', reason: HOOKS },
  { path: '.openhands/**', reason: HOOKS },
  { path: '.aider.conf.yaml', reason: HOOKS },
  { path: '.aider.conf.yml', reason: HOOKS },
];

/**
 * Control files under a home folder, for names that are too common to be refused everywhere. A workspace that lies inside one
 * of these folders (agents keep working trees there) is not refused as a whole: the table above holds inside it.
 */
export const CONTROL_FILES_IN_HOME: readonly ControlRow[] = [
  { path: '.claude/**', reason: HOOKS, large: true },
  { path: '.config/Claude/**', reason: HOOKS, large: true },
  { path: '.config/Code*/User/**', reason: HOOKS, large: true },
  { path: '.config/VSCodium/User/**', reason: HOOKS, large: true },
  { path: '.config/Cursor/**', reason: HOOKS, large: true },
  { path: '.config/Windsurf/**', reason: HOOKS, large: true },
  { path: '.config/zed/**', reason: HOOKS },
  { path: '.config/goose/**', reason: HOOKS },
  { path: '.config/opencode/**', reason: HOOKS },
  { path: '.config/github-copilot/**', reason: HOOKS },
  { path: '.config/git/**', reason: GIT },
  { path: '.gitconfig', reason: GIT },
  { path: '.config/sallyport/**', reason: OURS },
  { path: '.local/share/sallyport/**', reason: 'servers run from there', large: true },
  { path: 'Library/Application Support/Claude/**', reason: HOOKS, large: true },
  { path: 'Library/Application Support/Code*/User/**', reason: HOOKS, large: true },
  { path: 'Library/Application Support/Cursor/**', reason: HOOKS, large: true },
  { path: 'Library/Application Support/Windsurf/**', reason: HOOKS, large: true },
  { path: 'AppData/Roaming/Claude/**', reason: HOOKS, large: true },
  { path: 'AppData/Roaming/Code*/User/**', reason: HOOKS, large: true },
  { path: 'AppData/Roaming/Cursor/**', reason: HOOKS, large: true },
  { path: 'AppData/Roaming/Zed/**', reason: HOOKS },
];
