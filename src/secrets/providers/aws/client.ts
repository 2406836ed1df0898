import { SallyportError } from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';

export interface AwsOptions {
  /** Where a reference names none; the default chain of the AWS client decides where this is not given either. */
  readonly region?: string;
  /** Another address than AWS's: an endpoint of a VPC, an emulator. https, or loopback. */
  readonly endpoint?: string;
}

/** As much of a client of the AWS SDK as is used here. */
export interface AwsClient {
  send(command: object, options: { abortSignal: AbortSignal }): Promise<unknown>;
  destroy(): void;
}

/** A client of one service, for the settings of one region. */
export type MakeClient = (settings: object) => AwsClient;

/** One client for each region, made when it is first needed, with the credentials of the SDK's default chain. */
export class AwsClients {
  readonly #options: AwsOptions;
  readonly #make: MakeClient;
  readonly #clients = new Map<string, AwsClient>();

  constructor(options: AwsOptions, make: MakeClient) {
    checkEndpoint(options.endpoint);
    this.#options = options;
    this.#make = make;
  }

  for(region: string | null): AwsClient {
    const wanted = region ?? this.#options.region;
    const known = this.#clients.get(wanted ?? '');
    if (known !== undefined) return known;
    const made = this.#make({
      ...(wanted === undefined ? {} : { region: wanted }),
      ...(this.#options.endpoint === undefined ? {} : { endpoint: this.#options.endpoint }),
      maxAttempts: 2,
      requestHandler: {
        connectionTimeout: DEFAULT_SECRET_LIMITS.requestMs,
        requestTimeout: DEFAULT_SECRET_LIMITS.requestMs,
      },
    });
    this.#clients.set(wanted ?? '', made);
    return made;
  }

  destroy(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }
}

/**
 * Loads a package that is not one of our dependencies.
 * @throws SallyportError SECRET_PROVIDER_PACKAGE
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new SallyportError('SECRET_PROVIDER_PACKAGE', `the package ${name} is not there: npm install ${name}`, {
      cause,
    });
  }
}

function checkEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const local = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol === 'https:' || (local && url.protocol === 'http:')) return;
  throw new SallyportError(
    'SECRET_PROVIDER_CONFIG',
    'the endpoint of AWS is an https address, or an http one on this machine',
  );
}
