import { inspect } from 'node:util';

/** What stands for a secret without its value: printing, logging, serialising, spreading or inspecting it yields its name. */
export class SecretName {
  /** `[secret:NAME#vVERSION]`: the one field, so that a clone or a spread shows this too. */
  readonly secret: string;

  constructor(name: string, version: string | null) {
    this.secret = version === null ? `[secret:${name}]` : `[secret:${name}#v${version}]`;
  }

  toString(): string {
    return this.secret;
  }

  toJSON(): string {
    return this.secret;
  }

  [Symbol.toPrimitive](): string {
    return this.secret;
  }

  static {
    // Defined so, since the declarations of a class can name well-known symbols only.
    Object.defineProperty(SecretName.prototype, inspect.custom, {
      value(this: SecretName): string {
        return this.secret;
      },
    });
  }
}
