import { createConnection, type Socket } from 'node:net';
import type { JsonValue } from '../../src/core/index.ts';

/** A peer that says what it likes: frames as bytes. */
export class RawPeer {
  readonly socket: Socket;
  readonly sent: Buffer[] = [];
  readonly #frames: JsonValue[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #heard: () => void = () => undefined;

  constructor(path: string) {
    this.socket = createConnection({ path });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#closed = true;
      this.#heard();
    });
    this.socket.on('data', (chunk) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32BE()) {
      const end = 4 + this.#bytes.readUInt32BE();
      this.#frames.push(JSON.parse(this.#bytes.toString('utf8', 4, end)) as JsonValue);
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#heard();
  }

  send(value: unknown): void {
    this.sendText(JSON.stringify(value));
  }

  sendText(text: string): void {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(Buffer.byteLength(text));
    this.sendBytes(Buffer.concat([header, Buffer.from(text)]));
  }

  sendBytes(bytes: Buffer): void {
    this.sent.push(bytes);
    this.socket.write(bytes);
  }

  /** The next frame; null when the other side has cut the connection. */
  async next(): Promise<Readonly<Record<string, JsonValue>> | null> {
    while (this.#frames.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    return (this.#frames.shift() as Readonly<Record<string, JsonValue>> | undefined) ?? null;
  }

  /** Waits until the other side cuts the connection; returns the last error that it named. */
  async cut(): Promise<unknown> {
    let error: unknown = null;
    for (let frame = await this.next(); frame !== null; frame = await this.next()) error = frame['error'] ?? error;
    return error;
  }
}
