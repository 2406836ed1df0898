/** A file that runs by itself later, when somebody does something ordinary; a gitignore pattern and what runs it. */
export interface SelfRunningRow {
  readonly pattern: string;
  readonly reason: string;
}

const NODE = 'a package manager runs scripts or loads code that it names';
const CI = 'the next build on the continuous integration server runs it';
const MAKE = 'the next build runs it';
const PYTHON = 'Python or a test runner loads it by its name';
const HOOK = 'git runs it at the next commit, merge or checkout';
const EDITOR = 'an editor runs tasks or programs that it names when the folder is opened';
const SHELL = 'a shell runs it when it starts or enters the folder';
const CONFIG = 'a program of the same name, or an editor, loads and runs it';
const RUBY = 'Ruby programs load it by its name';

/**
 * Writing one of these needs an `allowedPaths` entry that names it (DESIGN section 2). Matched at any depth, and as deny
 * rules are: letter case, Unicode forms, trailing dots and spaces do not count.
 */
export const SELF_RUNNING_FILES: readonly SelfRunningRow[] = [
  { pattern: 'package.json', reason: NODE },
  { pattern: '.npmrc', reason: NODE },
  { pattern: '.yarnrc', reason: NODE },
  { pattern: '.yarnrc.yml', reason: NODE },
  { pattern: '.yarn/plugins/', reason: NODE },
  { pattern: '.yarn/releases/', reason: NODE },
  { pattern: '.pnpmfile.cjs', reason: NODE },
  { pattern: 'pnpm-workspace.yaml', reason: NODE },
  { pattern: 'bunfig.toml', reason: NODE },
  { pattern: 'binding.gyp', reason: NODE },
  { pattern: 'node_modules/.bin/', reason: 'npm scripts run programs from there by their bare names' },

  { pattern: '.github/workflows/', reason: CI },
  { pattern: '.github/actions/', reason: CI },
  { pattern: '.gitlab-ci.yml', reason: CI },
  { pattern: '.circleci/', reason: CI },
  { pattern: '.buildkite/', reason: CI },
  { pattern: '.travis.yml', reason: CI },
  { pattern: '.drone.yml', reason: CI },
  { pattern: '.woodpecker.yml', reason: CI },
  { pattern: '.woodpecker/', reason: CI },
  { pattern: '.forgejo/workflows/', reason: CI },
  { pattern: '.gitea/workflows/', reason: CI },
  { pattern: 'azure-pipelines.yml', reason: CI },
  { pattern: 'bitbucket-pipelines.yml', reason: CI },
  { pattern: 'Jenkinsfile', reason: CI },

  { pattern: 'Makefile', reason: MAKE },
  { pattern: 'GNUmakefile', reason: MAKE },
  { pattern: '*.mk', reason: MAKE },
  { pattern: 'Justfile', reason: MAKE },
  { pattern: '.justfile', reason: MAKE },
  { pattern: 'Taskfile.yml', reason: MAKE },
  { pattern: 'Taskfile.yaml', reason: MAKE },
  { pattern: 'CMakeLists.txt', reason: MAKE },
  { pattern: 'build.rs', reason: MAKE },
  { pattern: '.cargo/config', reason: MAKE },
  { pattern: '.cargo/config.toml', reason: MAKE },
  { pattern: 'build.gradle', reason: MAKE },
  { pattern: 'build.gradle.kts', reason: MAKE },
  { pattern: 'settings.gradle', reason: MAKE },
  { pattern: 'settings.gradle.kts', reason: MAKE },
  { pattern: 'gradlew', reason: MAKE },
  { pattern: 'gradle/wrapper/', reason: MAKE },
  { pattern: 'mvnw', reason: MAKE },
  { pattern: '.mvn/', reason: MAKE },

  { pattern: 'conftest.py', reason: PYTHON },
  { pattern: 'setup.py', reason: PYTHON },
  { pattern: 'setup.cfg', reason: PYTHON },
  { pattern: 'sitecustomize.py', reason: PYTHON },
  { pattern: 'usercustomize.py', reason: PYTHON },
  { pattern: 'noxfile.py', reason: PYTHON },
  { pattern: 'pytest.ini', reason: PYTHON },
  { pattern: '.pytest.ini', reason: PYTHON },
  { pattern: 'tox.ini', reason: PYTHON },
  { pattern: 'pyproject.toml', reason: PYTHON },
  { pattern: '*.pth', reason: PYTHON },

  { pattern: 'Rakefile', reason: RUBY },
  { pattern: 'Gemfile', reason: RUBY },
  { pattern: '*.gemspec', reason: RUBY },

  { pattern: '.husky/', reason: HOOK },
  { pattern: '.githooks/', reason: HOOK },
  { pattern: 'lefthook.yml', reason: HOOK },
  { pattern: '.lefthook.yml', reason: HOOK },
  { pattern: '.pre-commit-config.yaml', reason: HOOK },
  { pattern: '.lintstagedrc*', reason: HOOK },
  { pattern: '.gitattributes', reason: 'git runs filters and merge drivers that it selects' },
  { pattern: '.gitmodules', reason: 'git fetches code from where it points' },

  { pattern: '.vscode/tasks.json', reason: EDITOR },
  { pattern: '.vscode/launch.json', reason: EDITOR },
  { pattern: '.vscode/settings.json', reason: EDITOR },
  { pattern: '.vscode/extensions.json', reason: EDITOR },
  { pattern: '*.code-workspace', reason: EDITOR },
  { pattern: '.idea/', reason: EDITOR },
  { pattern: '.zed/', reason: EDITOR },
  { pattern: '.devcontainer/', reason: EDITOR },
  { pattern: '.devcontainer.json', reason: EDITOR },
  { pattern: '.exrc', reason: EDITOR },
  { pattern: '.nvimrc', reason: EDITOR },
  { pattern: '.nvim.lua', reason: EDITOR },
  { pattern: '.dir-locals.el', reason: EDITOR },

  { pattern: '.envrc', reason: SHELL },
  { pattern: '.direnv/', reason: SHELL },
  { pattern: 'mise.toml', reason: SHELL },
  { pattern: '.mise.toml', reason: SHELL },
  { pattern: '.bashrc', reason: SHELL },
  { pattern: '.bash_profile', reason: SHELL },
  { pattern: '.bash_login', reason: SHELL },
  { pattern: '.bash_logout', reason: SHELL },
  { pattern: '.profile', reason: SHELL },
  { pattern: '.zshrc', reason: SHELL },
  { pattern: '.zshenv', reason: SHELL },
  { pattern: '.zprofile', reason: SHELL },
  { pattern: '.zlogin', reason: SHELL },
  { pattern: 'config.fish', reason: SHELL },
  { pattern: '.config/autostart/', reason: 'the desktop starts it at the next login' },
  { pattern: '.config/systemd/', reason: 'systemd starts it at the next login' },
  { pattern: 'Library/LaunchAgents/', reason: 'launchd starts it at the next login' },

  { pattern: 'eslint.config.*', reason: CONFIG },
  { pattern: '.eslintrc*', reason: CONFIG },
  { pattern: 'prettier.config.*', reason: CONFIG },
  { pattern: '.prettierrc*', reason: CONFIG },
  { pattern: 'stylelint.config.*', reason: CONFIG },
  { pattern: 'babel.config.*', reason: CONFIG },
  { pattern: '.babelrc*', reason: CONFIG },
  { pattern: 'postcss.config.*', reason: CONFIG },
  { pattern: 'tailwind.config.*', reason: CONFIG },
  { pattern: 'vite.config.*', reason: CONFIG },
  { pattern: 'vitest.config.*', reason: CONFIG },
  { pattern: 'vitest.workspace.*', reason: CONFIG },
  { pattern: 'jest.config.*', reason: CONFIG },
  { pattern: 'playwright.config.*', reason: CONFIG },
  { pattern: 'cypress.config.*', reason: CONFIG },
  { pattern: '.mocharc*', reason: CONFIG },
  { pattern: 'webpack.config.*', reason: CONFIG },
  { pattern: 'rollup.config.*', reason: CONFIG },
  { pattern: 'next.config.*', reason: CONFIG },
  { pattern: 'nuxt.config.*', reason: CONFIG },
  { pattern: 'svelte.config.*', reason: CONFIG },
  { pattern: 'astro.config.*', reason: CONFIG },
  { pattern: 'gulpfile.*', reason: CONFIG },
  { pattern: 'Gruntfile.*', reason: CONFIG },
];
