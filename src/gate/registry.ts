import { type CompiledSchema, compileSchema, parseReference, SallyportError } from '../core/index.ts';
import type { Tool } from './tool.ts';

/** A tool with its schemas compiled. */
export interface RegisteredTool {
  readonly tool: Tool;
  readonly input: CompiledSchema;
  readonly output: CompiledSchema | null;
  /** The reference of `Tool.secret`. It is not in `tool`, which is shown to models: the places of secrets are nobody's list. */
  readonly secret: string | null;
}

const NAME = /^[A-Za-z0-9_-]{1,128}$/;

/** The tools of a gate, by name; names are unique after case folding, so that no reader can mistake one for another. */
export class Registry {
  readonly #tools = new Map<string, RegisteredTool>();
  readonly #folded = new Set<string>();
  #version = 0;

  /** Another number whenever the tools are others. */
  get version(): number {
    return this.#version;
  }

  /** @throws SallyportError TOOL_NAME, SCHEMA_INVALID, SECRET_REFERENCE_INVALID */
  add(tool: Tool): void {
    if (!NAME.test(tool.name))
      throw new SallyportError('TOOL_NAME', 'a tool name is 1 to 128 of A-Z, a-z, 0-9, _ and -');
    const folded = tool.name.toLowerCase();
    if (this.#folded.has(folded)) {
      throw new SallyportError('TOOL_NAME', `the tool name ${tool.name} is taken (letter case does not count)`);
    }
    const { secret: named, ...shown } = tool;
    const secret = named === undefined ? null : parseReference(named).text;
    const output = tool.outputSchema === undefined ? null : compileSchema(tool.outputSchema);
    this.#tools.set(
      tool.name,
      Object.freeze({ tool: Object.freeze(shown), input: compileSchema(tool.schema), output, secret }),
    );
    this.#folded.add(folded);
    this.#version += 1;
  }

  get(name: string): RegisteredTool | null {
    return this.#tools.get(name) ?? null;
  }

  removeServer(server: string): void {
    this.#version += 1;
    for (const [name, { tool }] of this.#tools) {
      if (tool.server !== server) continue;
      this.#tools.delete(name);
      this.#folded.delete(name.toLowerCase());
    }
  }

  names(): string[] {
    return [...this.#tools.keys()];
  }

  all(): Tool[] {
    return [...this.#tools.values()].map(({ tool }) => tool);
  }
}
