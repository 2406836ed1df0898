/** How a caller's identity was proven. `key`: it signed; `bearer`: it holds a token; `local`: it runs here. */
export type Proof = 'key' | 'bearer' | 'local';

/** Who calls. */
export interface Principal {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly session: string;
  readonly proof: Proof;
}

/** The surface a call came in on. */
export type Surface = 'library' | 'mcp-http' | 'mcp-stdio' | 'cli';
