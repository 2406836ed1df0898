import * as fs from 'node:fs';
import * as path from 'node:path';
import { type LogFile, type LogFiles, type OpenMode, realFiles } from '../../src/audit/log-files.ts';

/** A system call as a fault names it: what is done, and to which file or folder (relative to the state folder). */
export interface SystemCall {
  readonly call:
    | 'open'
    | 'write'
    | 'sync'
    | 'truncate'
    | 'makeFolder'
    | 'rename'
    | 'remove'
    | 'removeFolder'
    | 'syncFolder';
  readonly target: string;
}

export interface Fault {
  /** True for the call that fails. */
  readonly hits: (call: SystemCall, number: number) => boolean;
  /**
   * `lost`: the call does nothing, and with it goes everything that no sync had made durable. `kept`: the call does all
   * its work and fails all the same, and nothing is lost.
   */
  readonly effect: 'lost' | 'kept';
}

/**
 * Real files under a disk that keeps only what was synced. At the fault the call fails and the machine is off: every later
 * call fails too, and the state folder is left as a restart would find it.
 */
export class PowerCutFiles implements LogFiles {
  readonly calls: SystemCall[] = [];
  readonly read: LogFiles['read'] = (file) => this.#ifOn(() => realFiles.read(file));
  readonly list: LogFiles['list'] = (folder) => this.#ifOn(() => realFiles.list(folder));
  readonly identity: LogFiles['identity'] = (file) => {
    this.#refuseIfOff();
    return realFiles.identity(file);
  };
  readonly #root: string;
  readonly #side: string;
  readonly #fault: Fault;
  readonly #durable = new Map<number, Buffer>();
  #undo: { readonly folder: string; run(): void }[] = [];
  #saved = 0;
  #lastOpened: LogFile | null = null;
  #off = false;

  constructor(root: string, side: string, fault: Fault) {
    this.#root = root;
    this.#side = side;
    this.#fault = fault;
  }

  /** The fault came. */
  get off(): boolean {
    return this.#off;
  }

  async open(file: string, mode: OpenMode): Promise<LogFile> {
    const existed = fs.existsSync(file);
    const handle = await this.#run('open', file, async () => {
      const opened = await realFiles.open(file, mode);
      if (!existed) this.#undoable(file, () => fs.rmSync(file, { force: true }));
      const { ino } = fs.statSync(file);
      if (mode !== 'append' || !this.#durable.has(ino)) this.#durable.set(ino, fs.readFileSync(file));
      this.#lastOpened = opened;
      return opened;
    }).catch(async (error: unknown) => {
      await this.#lastOpened?.close().catch(() => this.#off);
      throw error;
    });
    return this.#wrap(handle, file, fs.statSync(file).ino);
  }

  #wrap(handle: LogFile, file: string, ino: number): LogFile {
    return {
      write: (data) => this.#run('write', file, () => handle.write(data)),
      truncate: (size) => this.#run('truncate', file, () => handle.truncate(size)),
      size: () => handle.size(),
      close: () => handle.close(),
      sync: () =>
        this.#run('sync', file, async () => {
          this.#durable.set(ino, fs.readFileSync(file));
        }),
    };
  }

  makeFolder(folder: string): Promise<void> {
    return this.#run('makeFolder', folder, async () => {
      for (let made = folder; made !== this.#root && !fs.existsSync(made); made = path.dirname(made)) {
        this.#undoable(made, () => fs.rmSync(made, { recursive: true, force: true }));
      }
      await realFiles.makeFolder(folder);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('rename', to, async () => {
      const saved = this.#save(to);
      await realFiles.rename(from, to);
      this.#undoable(to, () => {
        fs.renameSync(to, from);
        if (saved !== null) fs.renameSync(saved, to);
      });
    });
  }

  remove(file: string): Promise<void> {
    return this.#run('remove', file, async () => {
      const saved = this.#save(file);
      await realFiles.remove(file);
      this.#undoable(file, () => {
        if (saved !== null) fs.renameSync(saved, file);
      });
    });
  }

  removeFolder(folder: string): Promise<void> {
    return this.#run('removeFolder', folder, async () => {
      await realFiles.removeFolder(folder);
      this.#undoable(folder, () => fs.mkdirSync(folder));
    });
  }

  syncFolder(folder: string): Promise<void> {
    return this.#run('syncFolder', folder, async () => {
      this.#undo = this.#undo.filter((undo) => undo.folder !== folder);
    });
  }

  #save(file: string): string | null {
    if (!fs.existsSync(file)) return null;
    this.#saved += 1;
    const saved = path.join(this.#side, String(this.#saved));
    fs.linkSync(file, saved);
    return saved;
  }

  #undoable(name: string, run: () => void): void {
    this.#undo.push({ folder: path.dirname(name), run });
  }

  async #run<T>(call: SystemCall['call'], target: string, work: () => Promise<T>): Promise<T> {
    this.#refuseIfOff();
    const made: SystemCall = { call, target: path.relative(this.#root, target) };
    this.calls.push(made);
    if (!this.#fault.hits(made, this.calls.length)) return work();
    if (this.#fault.effect === 'kept') await work();
    else this.#lose();
    this.#off = true;
    throw Object.assign(new Error('EIO: the disk failed'), { code: 'EIO' });
  }

  async #ifOn<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseIfOff();
    return work();
  }

  #refuseIfOff(): void {
    if (this.#off) throw Object.assign(new Error('EIO: the machine is off'), { code: 'EIO' });
  }

  /** What the disk has of each file is what was synced; what it has of each folder, the names that were. */
  #lose(): void {
    for (const entry of fs.readdirSync(this.#root, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      const durable = entry.isFile() ? this.#durable.get(fs.statSync(file).ino) : undefined;
      if (durable !== undefined && !durable.equals(fs.readFileSync(file))) fs.writeFileSync(file, durable);
    }
    for (const { run } of this.#undo.reverse()) run();
  }
}
